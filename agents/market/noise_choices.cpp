#include "agents/market/noise_choices.hpp"

#include <set>

#include <fmt/format.h>

#include "agents/privacy/client_accounts.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

void check_grades(const scenario::Scenario& scenario) {
  const scenario::Market& market = scenario.market();
  if (market.grades_size() == 0) return;
  SOUK_REQUIRE(scenario.has_privacy(),
               "market.grades: noise is in bounds to which the section privacy shortens updates; add it");
  SOUK_REQUIRE(market.grades_size() > 1, "market.grades: one alone is no choice; use privacy.local_noise");
  SOUK_REQUIRE(!market.has_vcg() && !market.has_budget_feasible() && !market.has_sparsified_model(),
               "market.grades: sellers' asking prices decide an auction, and models are no money; use another payment");
  std::set<double> noises;
  for (const scenario::Grade& grade : market.grades()) noises.insert(grade.noise());
  SOUK_REQUIRE(noises.size() == static_cast<std::size_t>(market.grades_size()),
               "market.grades: two of them have the same noise");
}

/// That no price or limit waits for an epsilon that there never is.
void check_prices(const scenario::Market& market, bool noise, bool choice_of_none) {
  SOUK_REQUIRE(noise || market.costs().per_epsilon() == 0.0,
               "market.costs.per_epsilon = {}: sellers add no noise, so that they have no epsilon; add "
               "privacy.local_noise or market.grades",
               market.costs().per_epsilon());
  SOUK_REQUIRE(noise || market.sellers().most_epsilon() == 0.0,
               "market.sellers.most_epsilon = {}: sellers add no noise, so that they have no epsilon; add "
               "privacy.local_noise or market.grades",
               market.sellers().most_epsilon());
  SOUK_REQUIRE(choice_of_none || market.costs().without_noise() == 0.0,
               "market.costs.without_noise = {}: no grade offers to sell without noise",
               market.costs().without_noise());
}

}  // namespace

NoiseChoices::NoiseChoices(const scenario::Scenario& scenario, const ClientAccounts* accounts, std::size_t sellers)
    : accounts_(accounts), most_epsilon_(scenario.market().sellers().most_epsilon()), offers_(sellers) {
  check_grades(scenario);
  bool choice_of_none = false;
  for (const scenario::Grade& grade : scenario.market().grades()) {
    grades_.push_back({grade.noise(), grade.price()});
    choice_of_none = choice_of_none || grade.noise() == 0.0;
  }
  if (grades_.empty() && accounts != nullptr) grades_.push_back({scenario.privacy().local_noise(), 1.0});
  check_prices(scenario.market(), !grades_.empty(), choice_of_none);
}

/// None: its epsilon would be more than the seller minds.
std::optional<NoisedOffer> NoiseChoices::offer_under(const Grade& grade, AgentId seller) const {
  const std::optional<double> before = accounts_->epsilon(seller);
  const std::optional<double> after = accounts_->epsilon_after(seller, grade.noise);
  NoisedOffer offer{.noise = grade.noise, .price_share = grade.price_share, .unbounded = grade.noise == 0.0};
  if (before && after) offer.epsilon = *after - *before;
  if (most_epsilon_ > 0.0 && !(after && *after <= most_epsilon_)) return std::nullopt;
  return offer;
}

void NoiseChoices::choose(double expected_price, const CostOf& cost, RoundRecord& record) {
  if (grades_.empty()) return;
  for (std::uint32_t id = 0; id < offers_.size(); ++id) {
    const AgentId seller{id};
    std::optional<NoisedOffer> best;
    double most_left = 0.0;
    for (const Grade& grade : grades_) {
      const std::optional<NoisedOffer> offer = offer_under(grade, seller);
      if (!offer) continue;
      const double left = grade.price_share * expected_price - cost(seller, *offer);
      if (!best || left > most_left) {
        best = offer;
        most_left = left;
      }
    }
    if (!best && offers_[id].offers) {
      record.events.push_back(
          {"epsilon spent", id,
           fmt::format("one more update would make it larger than {:g}: the seller offers none", most_epsilon_)});
    }
    offers_[id] = best.value_or(NoisedOffer{.offers = false});
  }
}

}  // namespace souk
