#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "sim/base/ids.hpp"
#include "sim/engine/round_record.hpp"

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
  MicroCredits paid = 0;             ///< payments less deposits lost, so it may be below 0
  double cost = 0.0;                 ///< credits
  std::optional<double> value{};     ///< by the valuation
  std::optional<double> distance{};  ///< from the buyer's own update
};

/// The market's numbers over all rounds so far (docs/metrics.md, Markets). Replicated.
class MarketMetrics {
 public:
  explicit MarketMetrics(std::vector<SellerFacts> sellers);
  /// Takes note of a round and records its numbers and those so far.
  void note(std::span<const SellerRound> sellers, RoundRecord& record);
  /// What has been spent when the model first is this accurate.
  void note_accuracy(double accuracy, RoundRecord& record);
  void serialize(Archive& archive);

 private:
  void record_incomes(RoundRecord& record) const;
  void record_selection(RoundRecord& record) const;
  double jaccard(const std::vector<std::int64_t>& bought) const;

  std::vector<bool> malicious_;
  std::vector<std::int64_t> incomes_, sales_;  ///< [sellers]
  std::vector<double> costs_;                  ///< [sellers]
  std::vector<std::int64_t> last_bought_;      ///< ascending
  std::int64_t rounds_ = 0;
  double jaccard_sum_ = 0.0;           ///< over pairs of neighbouring rounds
  std::vector<double> reached_costs_;  ///< of each target, below 0: not reached
};

}  // namespace souk
