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
const scenario::Misconduct* misconduct_of(const Buyer& buyer, const std::string& path) {
  const scenario::Misconduct& misconduct = buyer.misconduct();
  const bool honest = misconduct.method_case() == scenario::Misconduct::METHOD_NOT_SET;
  SOUK_REQUIRE(!honest || (misconduct.from_round() <= 1 && misconduct.to_round() == 0),
               "{}.misconduct: says when, and not how", path);
  SOUK_REQUIRE(misconduct.to_round() == 0 || misconduct.to_round() >= misconduct.from_round(),
               "{}.misconduct.to_round = {}: is before from_round = {}", path, misconduct.to_round(),
               misconduct.from_round());
  return honest ? nullptr : &misconduct;
}

/// 0 means no limit, so what is given must not round to it.
MicroCredits sum_of_money(double credits, const std::string& path) {
  const MicroCredits amount = to_micro(credits);
  SOUK_REQUIRE(credits == 0.0 || amount > 0, "{} = {}: is less than a millionth of a credit", path, credits);
  return amount;
}

template <class Buyer>
BuyerTerms terms_of(const Buyer& buyer, std::int64_t account, const std::string& path) {
  return {account, sum_of_money(buyer.budget(), path + ".budget"),
          sum_of_money(buyer.round_budget(), path + ".round_budget"), path};
}

}  // namespace

std::vector<Owner> owners_of(const scenario::Scenario& scenario) {
  const scenario::Market& market = scenario.market();
  std::vector<Owner> owners{{.aggregator = &scenario.aggregator(),
                             .root = &scenario.root(),
                             .misconduct = misconduct_of(market, "market"),
                             .terms = terms_of(market, account::buyer, "market"),
                             .target_accuracy = market.target_accuracy(),
                             .target_r2 = market.target_r2()}};
  std::set<std::string> names;
  for (const scenario::Buyer& rival : market.rivals()) {
    SOUK_REQUIRE(is_plain(rival.name()), "market.rivals.name = \"{}\": lower-case letters, digits and underscores only",
                 rival.name());
    SOUK_REQUIRE(names.insert(rival.name()).second, "market.rivals.name = \"{}\": two buyers of one name",
                 rival.name());
    owners.push_back({.name = rival.name(),
                      .aggregator = &rival.aggregator(),
                      .root = &rival.root(),
                      .misconduct = misconduct_of(rival, fmt::format("market.rivals[{}]", owners.size() - 1)),
                      .terms = terms_of(rival, account::buyer - static_cast<std::int64_t>(owners.size()),
                                        fmt::format("market.rivals[{}]", owners.size() - 1)),
                      .target_accuracy = rival.target_accuracy(),
                      .target_r2 = rival.target_r2()});
  }
  return owners;
}

}  // namespace souk
