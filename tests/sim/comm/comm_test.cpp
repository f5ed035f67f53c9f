#include "sim/comm/comm.hpp"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/collectives.hpp"

namespace souk::comm_test {
namespace {

TEST(SelfComm, behaves_like_a_group_of_one) { check_collectives(Comm::self()); }

TEST(ThreadTeam, behaves_like_a_group_of_any_size) {
  for (const int ranks : {1, 2, 3, 4, 5, 8}) run_team(ranks, [](const Comm& comm) { check_collectives(comm); });
}

TEST(ThreadTeam, agrees_on_the_smallest_failing_rank) {
  for (const int ranks : {1, 2, 5}) run_team(ranks, [](const Comm& comm) { check_agreement(comm); });
}

TEST(ThreadTeam, an_exception_outside_a_phase_stops_the_others_and_is_the_one_reported) {
  std::atomic<int> stopped{0};
  try {
    run_team(3, [&](const Comm& comm) {
      if (comm.rank() == 1) throw InputError("rank 1 left");
      try {
        comm.barrier();
      } catch (const std::exception&) {
        ++stopped;
        throw;
      }
    });
    FAIL() << "the exception was lost";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "rank 1 left");
  }
  EXPECT_EQ(stopped, 2);
}

}  // namespace
}  // namespace souk::comm_test
