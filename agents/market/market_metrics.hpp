#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "sim/base/ids.hpp"
#include "sim/engine/round_record.hpp"
#include "sim/stats/correlation.hpp"

namespace souk {

class Archive;

/// What does not change about a seller.
struct SellerFacts {
  bool malicious = false;  ///< belongs to a group of attackers
  std::uint64_t samples = 0;
  std::vector<float> class_shares{};  ///< [classes] of its samples; empty: it has none
};

/// What one seller got out of a round that it delivered in.
struct SellerRound {
  AgentId seller;
  bool bought = false;
  MicroCredits paid = 0;             ///< price and penalty less the deposit lost, so it may be below 0
  double cost = 0.0;                 ///< credits
  std::optional<double> value{};     ///< by the valuation
  std::optional<double> distance{};  ///< from the buyer's own update
  MicroCredits price = 0;            ///< of the update alone
  double weight = 0.0;               ///< that the rule gave it, where it was bought
};

/// The market's numbers over all rounds so far (docs/metrics.md, Markets). Replicated.
class MarketMetrics {
 public:
  explicit MarketMetrics(std::vector<SellerFacts> sellers);
  /// Takes note of a round and records its numbers and those so far. Of what was paid, payments only.
  void note(std::span<const SellerRound> sellers, RoundRecord& record);
  /// What has been spent when the model first is this good, and for each point of quality since the first test.
  void note_quality(double quality, RoundRecord& record);
  void serialize(Archive& archive);

 private:
  /// One seller's history with this buyer.
  struct History {
    MicroCredits income = 0;
    double squared_income = 0.0;  ///< sum over rounds, credits squared
    double cost = 0.0;
    double value = 0.0;                          ///< sum over rounds
    std::int64_t valued = 0;                     ///< rounds with a value
    std::int64_t delivered = 0;                  ///< rounds
    std::int64_t sales = 0;                      ///< rounds
    std::int64_t first_sale = 0, last_sale = 0;  ///< rounds of this market, from 1; 0: none
    std::int64_t streak = 0, longest_streak = 0, streaks = 0;
  };

  void note_seller(const SellerRound& seller);
  void note_sale(History& history) const;
  void note_prices(std::span<const SellerRound> sellers);
  void record_round(std::span<const SellerRound> sellers, RoundRecord& record) const;
  void record_incomes(RoundRecord& record) const;
  void record_fairness(RoundRecord& record) const;
  void record_classes(RoundRecord& record) const;
  void record_contributions(std::span<const SellerRound> sellers, RoundRecord& record) const;
  void record_selection(RoundRecord& record) const;
  void record_streaks(RoundRecord& record) const;
  void record_variances(RoundRecord& record) const;
  double jaccard(const std::vector<std::int64_t>& bought) const;
  double spent() const;

  std::vector<SellerFacts> facts_;         ///< [sellers]
  std::vector<History> histories_;         ///< [sellers]
  std::vector<std::int64_t> last_bought_;  ///< ascending
  std::int64_t rounds_ = 0;
  double jaccard_sum_ = 0.0;                                         ///< over pairs of neighbouring rounds
  RunningCorrelation distance_and_bought_;                           ///< over sellers and rounds
  RunningMoments mean_price_;                                        ///< of the rounds in which something was bought
  std::vector<double> reached_costs_;                                ///< of each target, below 0: not reached
  double first_quality_ = std::numeric_limits<double>::quiet_NaN();  ///< of the first test; NaN: none yet
};

}  // namespace souk
