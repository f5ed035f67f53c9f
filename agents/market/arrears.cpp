#include "agents/market/arrears.hpp"

#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {

void Arrears::transfer(AgentId seller, MicroCredits amount, RoundRecord& record) {
  const std::size_t rows = record.transfers.size();
  ledger_.transfer("payment", account::market, seller.value, amount, record);
  if (record.transfers.size() > rows) record.transfers.back().buyer = buyer_;
}

std::vector<Payout> Arrears::pay(RoundRecord& record) {
  std::vector<Payout> paid;
  for (const auto& [seller, amount] : owed_) {
    transfer(seller, amount, record);
    paid.push_back({seller, amount});
  }
  owed_.clear();
  return paid;
}

void Arrears::pay_these(std::span<const AgentId> sellers, RoundRecord& record) {
  for (const AgentId seller : sellers) {
    const auto found = owed_.find(seller);
    if (found == owed_.end()) continue;
    transfer(seller, found->second, record);
    owed_.erase(found);
  }
}

void Arrears::serialize(Archive& archive) {
  std::vector<std::int64_t> rows;
  for (const auto& [seller, amount] : owed_) rows.insert(rows.end(), {seller.value, amount});
  archive.field("owed", rows);
  if (!archive.loading()) return;
  owed_.clear();
  for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
    owed_[AgentId{static_cast<std::uint32_t>(rows[i])}] = rows[i + 1];
  }
}

void check_arrears(const scenario::Market& market) {
  if (market.arrears() == 1) return;
  const char* field = "market.arrears";
  const scenario::Sellers& sellers = market.sellers();
  SOUK_REQUIRE(!sellers.has_rational() && !sellers.has_adaptive_ask(),
               "{}: rational sellers and adaptive_ask go by what each round has paid", field);
  SOUK_REQUIRE(market.sale() != scenario::Market::EXCLUSIVE,
               "{}: where sale = EXCLUSIVE sellers go by what each round "
               "has paid",
               field);
  SOUK_REQUIRE(!market.has_deposit_penalty(), "{}: deposits that come back, or do not, tell what was bought", field);
  SOUK_REQUIRE(!market.has_sparsified_model(), "{}: sparsified_model pays no money", field);
}

}  // namespace souk
