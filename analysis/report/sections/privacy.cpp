// What runs gave away about their clients, beside what they learned.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content_of_privacy(const ReportInput& input) {
  SectionContent section;
  section.figures = price_of_privacy(input.study);
  section.add(privacy_ledger_table(input.study, input.view));
  section.add(privacy_table(input.study));
  return section;
}

const RegisterSection register_privacy_section(
    {.id = "privacy", .title = "Privacy", .place = 38, .content = content_of_privacy});

}  // namespace
}  // namespace souk
