#include "sim/engine/run_status.hpp"

#include <gtest/gtest.h>

#include "sim/base/error.hpp"

namespace souk::run_status_test {
namespace {

TEST(RunStatus, is_found_by_the_text_that_results_hold) {
  for (const RunStatus status :
       {RunStatus::done, RunStatus::diverged, RunStatus::running, RunStatus::interrupted, RunStatus::failed,
        RunStatus::crashed, RunStatus::timed_out, RunStatus::damaged, RunStatus::refused, RunStatus::missing}) {
    EXPECT_EQ(run_status_named(to_string(status)), status);
  }
  EXPECT_EQ(to_string(RunStatus::timed_out), "timed_out");
  EXPECT_EQ(to_string(RunStatus::missing), "missing");
}

TEST(RunStatus, of_another_name_is_refused) {
  EXPECT_THROW(run_status_named(""), InputError);
  EXPECT_THROW(run_status_named("Done"), InputError);
}

TEST(RunStatus, is_over_where_the_run_itself_came_to_an_end) {
  EXPECT_TRUE(is_over(RunStatus::done));
  EXPECT_TRUE(is_over(RunStatus::diverged));
  EXPECT_FALSE(is_over(RunStatus::failed));
  EXPECT_FALSE(is_over(RunStatus::missing));
}

}  // namespace
}  // namespace souk::run_status_test
