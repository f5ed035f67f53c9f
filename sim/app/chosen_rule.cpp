#include "sim/app/chosen_rule.hpp"

#include <algorithm>

#include "aggregators/aggregator.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {

std::vector<std::string> overrides_of(const ChosenRule& chosen) {
  const std::vector<std::string> rules = PluginRegistry<Aggregator>::instance().names();
  SOUK_REQUIRE(std::ranges::find(rules, chosen.rule) != rules.end(), "there is no rule '{}'.{}", chosen.rule,
               did_you_mean(chosen.rule, rules));
  std::vector<std::string> overrides{fmt::format("aggregator.{}={{}}", chosen.rule)};
  for (std::size_t p = 0; p < chosen.pre.size(); ++p) {
    overrides.push_back(fmt::format("aggregator.pre[{}].{}={{}}", p, chosen.pre[p]));
  }
  return overrides;
}

std::optional<std::string> override_of(const ChosenRule& chosen, const std::string& setting) {
  const std::string key = setting.substr(0, setting.find('='));
  if (key == "f") return "aggregator.tolerated_f" + setting.substr(1);
  const std::string name = key.substr(0, key.find('.'));
  if (name == key) return std::nullopt;
  if (name == chosen.rule) return "aggregator." + setting;
  const auto stage = std::ranges::find(chosen.pre, name);
  if (stage == chosen.pre.end()) return std::nullopt;
  return fmt::format("aggregator.pre[{}].{}", stage - chosen.pre.begin(), setting);
}

std::string given_words(const ChosenRule& chosen, std::string error) {
  std::vector<std::pair<std::string, std::string>> words{{"aggregator.tolerated_f", "f"},
                                                         {"aggregator." + chosen.rule + ".", ""}};
  for (std::size_t p = 0; p < chosen.pre.size(); ++p) {
    words.emplace_back(fmt::format("aggregator.pre[{}].", p), "");
  }
  for (const auto& [field, given] : words) {
    for (const std::string_view before : {"--set ", ""}) {
      if (error.rfind(std::string(before) + field, 0) == 0)
        return "--set " + given + error.substr(before.size() + field.size());
    }
  }
  return error;
}

void require_servable(const std::string& name, const RuleNeeds& needs, bool has_root_update, std::int32_t f) {
  SOUK_REQUIRE(!needs.root_data && !needs.validators && !needs.model,
               "{} needs a model and data to judge it by, which files of updates do not hold: use it in a scenario",
               name);
  SOUK_REQUIRE(!needs.root_update || has_root_update,
               "{} needs the server's own update: --root g.npy, a vector as long as an update", name);
  SOUK_REQUIRE(!needs.tolerated_f || f >= 0, "{} needs a number of malicious updates to withstand: --set f=…", name);
}

}  // namespace souk
