// Who had weight and who was paid; in a report about one run, client by client.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/selection_map.hpp"

namespace souk {
namespace {

SectionContent content_of_payment(const ReportInput& input) {
  SectionContent section{.figures = selection_and_payment(input.study, input.view)};
  section.add(selection_maps(input.study, input.view));
  return section;
}

const RegisterSection register_payment_section(
    {.id = "payment", .title = "Selection and payment", .place = 40, .content = content_of_payment});

}  // namespace
}  // namespace souk
