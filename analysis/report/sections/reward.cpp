// What clients contributed against what they got for it.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) {
  return {.figures = contribution_and_reward(input.study, input.view)};
}

const RegisterSection registered({.id = "reward", .title = "Contribution and reward", .place = 50, .content = content});

}  // namespace
}  // namespace souk
