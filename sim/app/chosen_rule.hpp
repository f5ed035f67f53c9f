#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/error.hpp"

namespace souk {

struct RuleNeeds;

/// An aggregation rule and the pre-aggregators before it, named by the arguments of a command.
struct ChosenRule {
  std::string rule;
  std::vector<std::string> pre;
};

/// The choice as changes of a scenario. Throws InputError for a rule that there is not.
std::vector<std::string> overrides_of(const ChosenRule& chosen);

/// A setting as a change of a scenario: "f=5" is told to the rule and all pre-aggregators, "NAME.k=v" to the one of
/// that name; nothing where it names none of them.
std::optional<std::string> override_of(const ChosenRule& chosen, const std::string& setting);

/// An error about a field of the scenario, in the words of the command.
std::string given_words(const ChosenRule& chosen, std::string error);

/// Runs `work`; an InputError about a field of the scenario that the choice stands for names what was typed instead:
/// "--set f = 9", "--set nnm.f = 9".
template <class Work>
auto in_given_words(const ChosenRule& chosen, Work work) {
  try {
    return work();
  } catch (const InputError& error) {
    throw InputError(given_words(chosen, error.what()));
  }
}
/// Throws InputError for a rule that updates alone cannot serve. `f`: below 0 where nobody gave one.
void require_servable(const std::string& name, const RuleNeeds& needs, bool has_root_update, std::int32_t f);

}  // namespace souk
