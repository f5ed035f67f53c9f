// What threads cannot show: the same checks on the MPI transport. Started by mpirun with 1 to 4 ranks.
#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "sim/base/heartbeat.hpp"
#include "sim/comm/session.hpp"
#include "tests/support/collectives.hpp"

namespace souk::mpi_test {
namespace {

const Comm* world = nullptr;

TEST(Mpi, every_collective_keeps_its_definition) { check_collectives(*world); }

TEST(Mpi, failures_are_agreed_on) { check_agreement(*world); }

TEST(Mpi, a_message_beyond_two_gigabytes_arrives_whole) {
  if (world->size() != 2) GTEST_SKIP() << "once is enough";
  const std::size_t size = (std::size_t{1} << 31) + 12345;
  const auto block = world->node().shared_block(size);
  if (world->rank() == 0) block->bytes()[size - 1] = std::byte{42};
  world->barrier();
  std::vector<std::byte> copy(world->rank() == 0 ? 0 : size);
  const std::vector<Outgoing> outgoing =
      world->rank() == 0 ? std::vector<Outgoing>{{1, block->bytes()}} : std::vector<Outgoing>{};
  const std::vector<Incoming> incoming =
      world->rank() == 1 ? std::vector<Incoming>{{0, copy}} : std::vector<Incoming>{};
  world->exchange(outgoing, incoming);

  if (world->rank() == 1) {
    EXPECT_EQ(copy[size - 1], std::byte{42});
  }
}

/// Every rank but the first goes into the collective, and is seen waiting there by a thread of its own before the first
/// one comes: a test that takes a rank in it for at work waits for ever.
void expect_waiting(const std::function<void()>& collective) {
  const auto block = world->node().shared_block(sizeof(int));
  std::atomic_ref<int> seen(*reinterpret_cast<int*>(block->bytes().data()));
  world->barrier();
  if (world->rank() == 0) {
    while (seen.load() + 1 < world->size()) std::this_thread::yield();
    collective();
  } else {
    std::thread watcher([&] {
      while (!heartbeat::status().waiting) std::this_thread::yield();
      seen.fetch_add(1);
    });
    collective();
    watcher.join();
  }
  EXPECT_FALSE(heartbeat::status().waiting);
}

TEST(Mpi, a_rank_that_waits_for_others_in_a_collective_says_so) {
  const std::vector<int> one{1};
  std::vector<int> all(static_cast<std::size_t>(world->size()));
  const std::vector<std::size_t> counts(all.size(), 1);
  expect_waiting([] { world->all_sum(1); });
  expect_waiting([] { world->barrier(); });
  expect_waiting([&] { world->all_gather(std::span<const int>(one)); });
  expect_waiting([&] { world->all_gather_into(std::span<const int>(one), counts, std::span(all)); });
  expect_waiting([] { world->run_phase("test", [] {}); });
}

/// Prints failures of every rank, everything else of rank 0 alone.
class FailuresOnly final : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::fprintf(stderr, "rank %d: %s:%d\n%s\n", world->rank(), result.file_name(), result.line_number(),
                 result.summary());
  }
};

class BarrierAfterEachTest final : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override { world->barrier(); }
};

}  // namespace
}  // namespace souk::mpi_test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const souk::MpiSession session;
  const souk::Comm comm = session.world();
  souk::mpi_test::world = &comm;
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (comm.rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new souk::mpi_test::FailuresOnly);
  }
  listeners.Append(new souk::mpi_test::BarrierAfterEachTest);
  const int failed = comm.all_max(RUN_ALL_TESTS());
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) return 1;
  return failed;
}
