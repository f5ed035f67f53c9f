#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "agents/market/ledger.hpp"
#include "agents/stage.hpp"
#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class ForgettingSettlement;
}

namespace souk {

class Archive;

/// What sellers that are forgotten give back of what their updates earned, and what the work of forgetting is paid
/// with. Nobody gives more than it has: what is missing is counted, and an event tells of it.
class Withdrawals {
 public:
  /// Both outlive it.
  Withdrawals(const scenario::ForgettingSettlement& config, Ledger& ledger) : config_(config), ledger_(ledger) {}
  /// A round is over: what was earned before it counts less.
  void age();
  /// Takes note of the round's payments from this row on.
  void note(const RoundRecord& record, std::size_t first);
  /// Settles with the clients that are forgotten now. `staying`: those who do the work.
  void settle(const Forgetting& forgetting, std::span<const std::int64_t> staying, RoundRecord& record);
  void serialize(Archive& archive);

 private:
  struct Earned {
    double remaining = 0.0;   ///< micro-credits, what is older counts less
    MicroCredits in_all = 0;  ///< paid, and not given back
  };
  void give_back(std::int64_t seller, bool thrown_out, RoundRecord& record);
  void pay_for_work(const Forgetting& forgetting, std::span<const std::int64_t> staying, RoundRecord& record);
  MicroCredits collect(const char* kind, std::int64_t payer, std::int64_t payee, MicroCredits owed,
                       RoundRecord& record);

  const scenario::ForgettingSettlement& config_;
  Ledger& ledger_;
  std::map<std::pair<std::int64_t, std::int64_t>, Earned> earned_;  ///< by seller and buyer
  MicroCredits refunded_ = 0, clawed_back_ = 0, fees_ = 0, missing_ = 0;
};

}  // namespace souk
