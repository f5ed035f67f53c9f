// What threads cannot show: the same checks on the MPI transport. Started by mpirun with 1 to 4 ranks.
#include <cstdio>

#include <gtest/gtest.h>

#include "sim/comm/session.hpp"
#include "tests/support/collectives.hpp"

namespace souk {
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
}  // namespace souk

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const souk::MpiSession session;
  const souk::Comm comm = session.world();
  souk::world = &comm;
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (comm.rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new souk::FailuresOnly);
  }
  listeners.Append(new souk::BarrierAfterEachTest);
  const int failed = comm.all_max(RUN_ALL_TESTS());
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) return 1;
  return failed;
}
