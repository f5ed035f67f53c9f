#pragma once

#include <vector>

#include "agents/market/market_desk.hpp"

namespace souk::scenario {
class Misconduct;
class Scenario;
}  // namespace souk::scenario

namespace souk {

/// How the owner of a model buys. Points into the scenario.
struct BuyerConfig {
  BuyerTerms terms{};
  const scenario::Misconduct* misconduct = nullptr;  ///< null: honest
  double target_accuracy = 0.0, target_r2 = 0.0;     ///< on its root data; 0: none
};

/// Of every owner of a model, in order. Throws InputError for sums and schedules that are not in order.
std::vector<BuyerConfig> buyers_of(const scenario::Scenario& scenario);

}  // namespace souk
