// Every cell of the grids, those without a result first.
#include "analysis/report/section.hpp"
#include "analysis/report/tables.hpp"

namespace souk {
namespace {

SectionContent content_of_runs(const ReportInput& input) {
  SectionContent section;
  section.add(failure_table(input.study));
  section.add(cell_table(input.study));
  return section;
}

const RegisterSection register_runs_section({.id = "runs", .title = "Runs", .place = 70, .content = content_of_runs});

}  // namespace
}  // namespace souk
