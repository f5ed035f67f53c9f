// Who had weight and who was paid; in a report about one run, client by client.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/selection_map.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) {
  SectionContent section{.figures = selection_and_payment(input.study, input.view)};
  section.add(selection_maps(input.study, input.view));
  return section;
}

const RegisterSection registered({.id = "payment", .title = "Selection and payment", .place = 40, .content = content});

}  // namespace
}  // namespace souk
