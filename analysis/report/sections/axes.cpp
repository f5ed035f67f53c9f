// Metrics at the end over every axis of numbers.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) { return {.figures = numeric_axes(input.study)}; }

const RegisterSection registered({.id = "axes", .title = "Along the axes", .place = 30, .content = content});

}  // namespace
}  // namespace souk
