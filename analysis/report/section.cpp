#include "analysis/report/section.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Filled before main begins, in the order in which the linker found the sections.
std::vector<SectionKind>& registered_sections() {
  static std::vector<SectionKind> kinds;
  return kinds;
}

}  // namespace

void SectionContent::add(std::vector<Figure> more) {
  for (Figure& figure : more) figures.push_back(std::move(figure));
}

void SectionContent::add(ReportTable table) {
  if (!table.data.empty()) tables.push_back(std::move(table));
}

RegisterSection::RegisterSection(const SectionKind& kind) { registered_sections().push_back(kind); }

std::vector<SectionKind> section_kinds() {
  std::vector<SectionKind> kinds = registered_sections();
  std::ranges::sort(kinds, {}, &SectionKind::place);
  SOUK_EXPECT(std::ranges::adjacent_find(kinds, {}, &SectionKind::place) == kinds.end());
  return kinds;
}

}  // namespace souk
