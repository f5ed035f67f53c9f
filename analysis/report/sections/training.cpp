// Metrics over rounds.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) { return {.figures = curves(input.study, input.view)}; }

const RegisterSection registered({.id = "curves", .title = "Training", .place = 20, .content = content});

}  // namespace
}  // namespace souk
