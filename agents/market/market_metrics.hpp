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

/// What one seller got out of a round that it delivered in.
struct SellerRound {
  AgentId seller;
  bool bought = false;
  MicroCredits paid = 0;
  double cost = 0.0;  ///< credits
};

/// The market's numbers over all rounds so far (docs/metrics.md, Markets). Replicated.
class MarketMetrics {
 public:
  /// malicious[i]: whether seller i belongs to a group of attackers.
  explicit MarketMetrics(std::vector<bool> malicious);
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
