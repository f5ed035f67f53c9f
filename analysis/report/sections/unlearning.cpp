// What forgetting left of what was to be forgotten.
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) {
  SectionContent section;
  section.add(unlearning_table(input.study));
  return section;
}

const RegisterSection registered({.id = "unlearning", .title = "Forgetting", .place = 37, .content = content});

}  // namespace
}  // namespace souk
