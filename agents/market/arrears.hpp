#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "sim/base/ids.hpp"
#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class Market;
}

namespace souk {

/// A sum that a seller was paid.
struct Payout {
  AgentId seller;
  MicroCredits amount = 0;
};

/// What one buyer owes sellers until they are paid, once in so many rounds: the market keeps it for them. Replicated.
class Arrears {
 public:
  /// `every`: in rounds; `ledger` outlives it.
  Arrears(std::uint32_t every, std::int64_t buyer, Ledger& ledger) : every_(every), buyer_(buyer), ledger_(ledger) {}
  /// The market has so much more for the seller; 0: it has delivered, and earned nothing.
  void owe(AgentId seller, MicroCredits amount) { owed_[seller] += amount; }
  bool due(RoundIndex round) const { return round.value % every_ == 0; }
  /// Pays everybody who has delivered since they were paid last, in ascending order.
  std::vector<Payout> pay(RoundRecord& record);
  /// Pays those of them alone who are among `sellers`, ascending.
  void pay_these(std::span<const AgentId> sellers, RoundRecord& record);
  void serialize(Archive& archive);

 private:
  void transfer(AgentId seller, MicroCredits amount, RoundRecord& record);

  std::uint32_t every_;
  std::int64_t buyer_;
  Ledger& ledger_;
  std::map<AgentId, MicroCredits> owed_;
};

/// Throws InputError where sellers would learn, or act on, what a single round paid them.
void check_arrears(const scenario::Market& market);

}  // namespace souk
