#include "agents/market/royalties.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/archive.hpp"

namespace souk {

void Royalties::note(std::span<const SellerRound> outcomes) {
  double sum = 0.0;
  for (const SellerRound& outcome : outcomes) sum += outcome.weight;
  if (!(sum > 0.0)) return;
  for (const SellerRound& outcome : outcomes) parts_[outcome.seller.value] += outcome.weight / sum;
}

void Royalties::forget(std::span<const AgentId> sellers) {
  for (const AgentId seller : sellers) parts_[seller.value] = 0.0;
}

void Royalties::pay(RoundRecord& record) {
  MicroCredits taken = 0;
  for (const TransferRow& row : record.transfers) {
    if (row.kind == "query") taken += row.micro_credits;
  }
  const MicroCredits pool = std::min(taken, to_micro(share_ * to_credits(taken)));
  if (pool == 0 || std::accumulate(parts_.begin(), parts_.end(), 0.0) == 0.0) return;
  ledger_.receive(account::buyer, pool);
  const std::vector<MicroCredits> parts = split_exactly(pool, parts_);
  for (std::size_t seller = 0; seller < parts.size(); ++seller) {
    ledger_.transfer("royalty", account::buyer, static_cast<std::int64_t>(seller), parts[seller], record);
  }
  record.add("royalties", to_credits(pool));
}

void Royalties::serialize(Archive& archive) { archive.field("parts in the model", parts_); }

}  // namespace souk
