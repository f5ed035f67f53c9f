#include "agents/stage.hpp"

#include <algorithm>
#include <tuple>

namespace souk {

Sections& Sections::instance() {
  static Sections sections;
  return sections;
}

void Sections::add(Section section) {
  sections_.push_back(std::move(section));
  std::ranges::sort(sections_, [](const Section& a, const Section& b) {
    return std::tie(a.place, a.name) < std::tie(b.place, b.name);
  });
}

std::vector<const Section*> Sections::of(const scenario::Scenario& scenario) const {
  std::vector<const Section*> present;
  for (const Section& section : sections_) {
    if (section.is_in(scenario)) present.push_back(&section);
  }
  return present;
}

}  // namespace souk
