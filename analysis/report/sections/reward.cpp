// What clients contributed against what they got for it.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content_of_reward(const ReportInput& input) {
  return {.figures = contribution_and_reward(input.study, input.view)};
}

const RegisterSection register_reward_section(
    {.id = "reward", .title = "Contribution and reward", .place = 50, .content = content_of_reward});

}  // namespace
}  // namespace souk
