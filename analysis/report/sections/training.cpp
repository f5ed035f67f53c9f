// Metrics over rounds.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"

namespace souk {
namespace {

SectionContent content_of_training(const ReportInput& input) { return {.figures = curves(input.study, input.view)}; }

const RegisterSection register_curves(
    {.id = "curves", .title = "Training", .place = 20, .content = content_of_training});

}  // namespace
}  // namespace souk
