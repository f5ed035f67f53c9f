#pragma once

#include <string>
#include <vector>

#include "agents/market/market_desk.hpp"

namespace souk::scenario {
class Aggregator;
class Misconduct;
class Root;
class Scenario;
}  // namespace souk::scenario

namespace souk {

/// Whose model is trained: the server of a federation, or each buyer of a market. Points into the scenario.
struct Owner {
  std::string name{};  ///< of a rival; empty: the first
  const scenario::Aggregator* aggregator = nullptr;
  const scenario::Root* root = nullptr;
  const scenario::Misconduct* misconduct = nullptr;  ///< null: honest
  BuyerTerms terms{};
  double target_accuracy = 0.0;  ///< on its root data; 0: none
};

/// The first is the scenario's own server. Throws InputError for names that are not in order.
std::vector<Owner> owners_of(const scenario::Scenario& scenario);

}  // namespace souk
