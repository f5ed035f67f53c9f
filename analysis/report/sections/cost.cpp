// Time and traffic.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content_of_cost(const ReportInput& input) { return {.figures = costs(input.study, input.view)}; }

const RegisterSection register_cost_section({.id = "cost", .title = "Cost", .place = 60, .content = content_of_cost});

}  // namespace
}  // namespace souk
