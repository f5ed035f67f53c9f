// The page opens with the answer: the map of rules and attacks, and the tables of the verdict that it shows.
#include "analysis/report/figures.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

/// Without several runs there is nothing to hold a rule against.
SectionContent content_of_robustness(const ReportInput& input) {
  SectionContent section{.figures = heat_maps(input.study)};
  if (!input.verdict.rules.empty() && input.study.runs.size() > 1) {
    section.add(rule_table(input.verdict));
    section.add(price_table(input.verdict));
    section.add(attack_table(input.verdict));
  }
  section.add(buyer_table(input.study));
  section.add(class_table(input.study, input.view));
  return section;
}

const RegisterSection register_robustness_section(
    {.id = "robustness", .title = "Attacks and defences", .place = 10, .content = content_of_robustness});

}  // namespace
}  // namespace souk
