// What updates give away of the data that they were computed from.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content_of_inference(const ReportInput& input) {
  SectionContent section{.figures = reconstructions(input.study)};
  section.add(inference_table(input.study));
  return section;
}

const RegisterSection register_inference_section(
    {.id = "reconstruction", .title = "Reconstruction from updates", .place = 37, .content = content_of_inference});

}  // namespace
}  // namespace souk
