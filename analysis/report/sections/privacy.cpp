// What runs gave away about their clients, beside what they learned.
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) {
  SectionContent section;
  section.add(privacy_table(input.study));
  return section;
}

const RegisterSection registered({.id = "privacy", .title = "Privacy", .place = 38, .content = content});

}  // namespace
}  // namespace souk
