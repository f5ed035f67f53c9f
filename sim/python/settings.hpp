#pragma once

#include <set>
#include <string>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/python/python_function.hpp"

namespace souk {

/// The settings of a message of the schema, `field` being its place. Throws InputError for one without a name or value,
/// and for a name that comes twice.
template <class Settings>
std::vector<PythonSetting> python_settings(const std::string& field, const Settings& settings) {
  std::vector<PythonSetting> all;
  std::set<std::string> names;
  for (const auto& setting : settings) {
    const std::string place = fmt::format("{}.settings[{}]", field, all.size());
    SOUK_REQUIRE(!setting.name().empty(), "{}.name: is empty, must name an argument of the function", place);
    SOUK_REQUIRE(names.insert(setting.name()).second, "{}.name = \"{}\": is set twice", place, setting.name());
    SOUK_REQUIRE(setting.has_number() || setting.has_text() || setting.has_flag(),
                 "{}: '{}' has no value: number, text or flag", place, setting.name());
    PythonSetting& one = all.emplace_back(PythonSetting{setting.name(), setting.number()});
    if (setting.has_text()) one.value = setting.text();
    if (setting.has_flag()) one.value = setting.flag();
  }
  return all;
}

}  // namespace souk
