#include "agents/stage.hpp"

#include <algorithm>
#include <tuple>

namespace souk {

ScenarioSections& ScenarioSections::instance() {
  static ScenarioSections sections;
  return sections;
}

void ScenarioSections::add(ScenarioSection section) {
  sections_.push_back(std::move(section));
  std::ranges::sort(sections_, [](const ScenarioSection& a, const ScenarioSection& b) {
    return std::tie(a.place, a.name) < std::tie(b.place, b.name);
  });
}

std::vector<const ScenarioSection*> ScenarioSections::of(const scenario::Scenario& scenario) const {
  std::vector<const ScenarioSection*> present;
  for (const ScenarioSection& section : sections_) {
    if (section.is_in(scenario)) present.push_back(&section);
  }
  return present;
}

}  // namespace souk
