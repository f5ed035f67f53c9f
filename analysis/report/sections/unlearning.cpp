// What forgetting left of what was to be forgotten.
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content_of_unlearning(const ReportInput& input) {
  SectionContent section;
  section.add(unlearning_table(input.study));
  return section;
}

const RegisterSection register_unlearning_section(
    {.id = "unlearning", .title = "Forgetting", .place = 37, .content = content_of_unlearning});

}  // namespace
}  // namespace souk
