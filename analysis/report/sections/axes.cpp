// Metrics at the end over every axis of numbers.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content_of_axes(const ReportInput& input) { return {.figures = numeric_axes(input.study)}; }

const RegisterSection register_axes_section(
    {.id = "axes", .title = "Along the axes", .place = 30, .content = content_of_axes});

}  // namespace
}  // namespace souk
