#include "sim/app/collective_command.hpp"

#include <new>
#include <stdexcept>

#include <gtest/gtest.h>

#include "sim/base/error.hpp"

namespace souk::collective_command_test {
namespace {

TEST(CollectiveCommandDeath, what_ranks_did_not_agree_on_is_said_before_all_are_ended) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(run_collectively([](const Comm&) { throw std::bad_alloc(); }), testing::ExitedWithCode(exit_failed),
              "rank 0: out of memory");
  EXPECT_EXIT(run_collectively([](const Comm&) { throw std::logic_error("no such thing"); }),
              testing::ExitedWithCode(exit_our_fault), "rank 0: no such thing");
}

TEST(CollectiveCommand, what_ranks_agreed_on_is_an_exit_code) {
  const auto work = [](const Comm& comm) { comm.run_phase("try", [] { throw InputError("bad"); }); };
  EXPECT_EQ(run_collectively(work), exit_bad_input);
}

}  // namespace
}  // namespace souk::collective_command_test
