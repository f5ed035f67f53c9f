#include "sim/app/advice.hpp"

#include <fmt/format.h>

#include "scenarios/scenario.pb.h"

namespace souk {
namespace {

/// The path of a rule whose reports are completed by regressions.
void advise_on_imputation(const scenario::Aggregator& rule, const std::string& path, std::vector<std::string>& advice) {
  if (!rule.has_flshield() || rule.flshield().imputation() != scenario::FlShield::ITERATIVE) return;
  advice.push_back(fmt::format(
      "{0}.flshield.imputation is ITERATIVE, the default: its work grows with the squares of updates x classes and of "
      "validators, and may be many times that of the rest of a round; {0}.flshield.imputation=MEAN is cheap, and "
      "nearly as "
      "good in the paper",
      path));
}

}  // namespace

std::vector<std::string> advice_on_cost(const scenario::Scenario& scenario) {
  std::vector<std::string> advice;
  advise_on_imputation(scenario.aggregator(), "aggregator", advice);
  for (int rival = 0; rival < scenario.market().rivals_size(); ++rival) {
    advise_on_imputation(scenario.market().rivals(rival).aggregator(),
                         fmt::format("market.rivals[{}].aggregator", rival), advice);
  }
  return advice;
}

}  // namespace souk
