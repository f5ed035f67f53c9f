#include "agents/market/buyers.hpp"

#include <fmt/format.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

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

/// `Settings`: the market's own, or a rival's.
template <class Settings>
BuyerConfig buyer_of(const Settings& settings, std::int64_t account, const std::string& path) {
  return {.terms = terms_of(settings, account, path),
          .misconduct = misconduct_of(settings, path),
          .target_accuracy = settings.target_accuracy(),
          .target_r2 = settings.target_r2()};
}

}  // namespace

std::vector<BuyerConfig> buyers_of(const scenario::Scenario& scenario) {
  const scenario::Market& market = scenario.market();
  std::vector<BuyerConfig> buyers{buyer_of(market, account::buyer, "market")};
  for (int r = 0; r < market.rivals_size(); ++r) {
    buyers.push_back(buyer_of(market.rivals(r), account::buyer - 1 - r, fmt::format("market.rivals[{}]", r)));
  }
  return buyers;
}

}  // namespace souk
