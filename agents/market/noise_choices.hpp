#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class ClientAccounts;

/// How a seller offers its update to a buyer in a round.
struct NoisedOffer {
  bool offers = true;        ///< its epsilon stays within what it minds
  double noise = 0.0;        ///< multiple of the bound
  double price_share = 1.0;  ///< of the price that it earns
  double epsilon = 0.0;      ///< by which its own grows
  bool unbounded = false;    ///< sent without noise, where there is a choice
};

/// Under which noise sellers sell to one buyer, where they choose among grades or all noise their updates alike; what
/// they earn by it and what it adds to their epsilon. Souk's own: a seller takes the grade that leaves it most,
///     share of price x expected price - cost,
/// ties to the first. Replicated.
class NoiseChoices {
 public:
  /// `accounts`: null where clients add no noise; then every offer is as good as another. Throws InputError for
  /// settings that have no effect, and for payments that grades do not fit.
  NoiseChoices(const scenario::Scenario& scenario, const ClientAccounts* accounts, std::size_t sellers);
  /// Credits that an offer costs its seller.
  using CostOf = std::function<double(AgentId seller, const NoisedOffer& offer)>;
  /// Chooses for everybody, before a round in which a bought update is expected to earn so much. Records who stays
  /// away from now on.
  void choose(double expected_price, const CostOf& cost, RoundRecord& record);
  const NoisedOffer& of(AgentId seller) const { return offers_[seller.value]; }
  /// Whether there is any noise.
  bool noised() const { return !grades_.empty(); }
  /// Whether sellers choose.
  bool graded() const { return grades_.size() > 1; }
  /// Whether their epsilon may keep sellers away.
  bool may_keep_away() const { return most_epsilon_ > 0.0; }

 private:
  struct Grade {
    double noise, price_share;
  };
  std::optional<NoisedOffer> offer_under(const Grade& grade, AgentId seller) const;

  const ClientAccounts* accounts_;
  double most_epsilon_;
  std::vector<Grade> grades_;        ///< empty: no noise
  std::vector<NoisedOffer> offers_;  ///< [sellers] of this round
};

}  // namespace souk
