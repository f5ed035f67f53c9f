#include "agents/owners.hpp"

#include <algorithm>
#include <set>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

bool is_plain(const std::string& name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// Null for an honest buyer.
template <class Buyer>
const scenario::Misconduct* misconduct_of(const Buyer& buyer) {
  return buyer.misconduct().method_case() == scenario::Misconduct::METHOD_NOT_SET ? nullptr : &buyer.misconduct();
}

}  // namespace

std::vector<Owner> owners_of(const scenario::Scenario& scenario) {
  const scenario::Market& market = scenario.market();
  std::vector<Owner> owners{{.aggregator = &scenario.aggregator(),
                             .root = &scenario.root(),
                             .misconduct = misconduct_of(market),
                             .terms = {account::buyer, to_micro(market.budget()), to_micro(market.round_budget())},
                             .target_accuracy = market.target_accuracy()}};
  std::set<std::string> names;
  for (const scenario::Buyer& rival : market.rivals()) {
    SOUK_REQUIRE(is_plain(rival.name()), "market.rivals.name = \"{}\": lower-case letters, digits and underscores only",
                 rival.name());
    SOUK_REQUIRE(names.insert(rival.name()).second, "market.rivals.name = \"{}\": two buyers of one name",
                 rival.name());
    owners.push_back({.name = rival.name(),
                      .aggregator = &rival.aggregator(),
                      .root = &rival.root(),
                      .misconduct = misconduct_of(rival),
                      .terms = {account::buyer - static_cast<std::int64_t>(owners.size()), to_micro(rival.budget()),
                                to_micro(rival.round_budget())},
                      .target_accuracy = rival.target_accuracy()});
  }
  return owners;
}

}  // namespace souk
