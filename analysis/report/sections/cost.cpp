// Time and traffic.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) { return {.figures = costs(input.study, input.view)}; }

const RegisterSection registered({.id = "cost", .title = "Cost", .place = 60, .content = content});

}  // namespace
}  // namespace souk
