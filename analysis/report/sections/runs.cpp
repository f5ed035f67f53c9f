// Every cell of the grids, those without a result first.
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content(const ReportInput& input) {
  SectionContent section;
  section.add(failure_table(input.study));
  section.add(cell_table(input.study));
  return section;
}

const RegisterSection registered({.id = "runs", .title = "Runs", .place = 70, .content = content});

}  // namespace
}  // namespace souk
