#include "agents/market/withdrawals.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "scenarios/unlearning.pb.h"
#include "sim/base/archive.hpp"

namespace souk {

void Withdrawals::age() {
  for (auto& [who, earned] : earned_) earned.remaining *= config_.remaining_per_round();
}

void Withdrawals::note(const RoundRecord& record, std::size_t first) {
  for (const TransferRow& row : std::span(record.transfers).subspan(first)) {
    if (row.kind != "payment" || row.payee < 0) continue;
    Earned& earned = earned_[{row.payee, row.buyer}];
    earned.remaining += static_cast<double>(row.micro_credits);
    earned.in_all += row.micro_credits;
  }
}

/// As much of a debt as the payer has.
MicroCredits Withdrawals::collect(const char* kind, std::int64_t payer, std::int64_t payee, MicroCredits owed,
                                  RoundRecord& record) {
  const MicroCredits paid = std::min(owed, ledger_.balance(payer));
  ledger_.transfer(kind, payer, payee, paid, record);
  if (paid < owed) {
    missing_ += owed - paid;
    record.events.push_back(
        {"cannot give back", payer, fmt::format("{} credits owed, {} there", to_credits(owed), to_credits(paid))});
  }
  return paid;
}

void Withdrawals::give_back(std::int64_t seller, bool thrown_out, RoundRecord& record) {
  for (auto& [who, earned] : earned_) {
    if (who.first != seller) continue;
    const double share = thrown_out ? config_.clawback() * static_cast<double>(earned.in_all)
                                    : config_.refund() * std::min(earned.remaining, static_cast<double>(earned.in_all));
    const auto owed = static_cast<MicroCredits>(std::llround(share));
    (thrown_out ? clawed_back_ : refunded_) +=
        collect(thrown_out ? "clawback" : "withdrawal", seller, who.second, owed, record);
    earned = {};
  }
}

void Withdrawals::pay_for_work(const Forgetting& forgetting, std::span<const std::int64_t> staying,
                               RoundRecord& record) {
  const double credits =
      config_.per_gflop() * forgetting.cost.flops / 1e9 + config_.per_megabyte() * forgetting.cost.megabytes;
  const MicroCredits price = to_micro(std::min(credits, 1e12));
  if (price == 0 || staying.empty()) return;
  std::vector<std::int64_t> payers;
  if (config_.payer() == scenario::ForgettingSettlement::BUYER) {
    payers.push_back(account::buyer);
    ledger_.issue(account::buyer, price, record);
  } else {
    for (const AgentId client : forgetting.now.clients) payers.push_back(client.value);
  }
  if (payers.empty()) {
    record.events.push_back({"work without pay", -1, "nobody leaves who could pay for the work of forgetting"});
    return;
  }
  MicroCredits collected = 0;
  const std::vector<MicroCredits> parts = split_exactly(price, std::vector<double>(payers.size(), 1.0));
  for (std::size_t p = 0; p < payers.size(); ++p) {
    collected += collect("forgetting", payers[p], account::market, parts[p], record);
  }
  const std::vector<MicroCredits> wages = split_exactly(collected, std::vector<double>(staying.size(), 1.0));
  for (std::size_t s = 0; s < staying.size(); ++s) {
    ledger_.transfer("forgetting", account::market, staying[s], wages[s], record);
  }
  fees_ += collected;
}

void Withdrawals::settle(const Forgetting& forgetting, std::span<const std::int64_t> staying, RoundRecord& record) {
  for (const AgentId client : forgetting.now.clients) {
    give_back(client.value, std::ranges::binary_search(forgetting.thrown_out, client), record);
  }
  pay_for_work(forgetting, staying, record);
  std::erase_if(record.metrics, [](const MetricValue& m) { return m.name.starts_with("settlement."); });
  record.add("settlement.refunded", to_credits(refunded_));
  record.add("settlement.clawed_back", to_credits(clawed_back_));
  record.add("settlement.fees", to_credits(fees_));
  record.add("settlement.missing", to_credits(missing_));
}

void Withdrawals::serialize(Archive& archive) {
  std::vector<std::int64_t> rows;
  std::vector<double> remaining;
  for (const auto& [who, earned] : earned_) {
    rows.insert(rows.end(), {who.first, who.second, earned.in_all});
    remaining.push_back(earned.remaining);
  }
  archive.field("earned", rows);
  archive.field("earned and remaining", remaining);
  archive.field("refunded", refunded_);
  archive.field("clawed back", clawed_back_);
  archive.field("fees", fees_);
  archive.field("missing", missing_);
  if (!archive.loading()) return;
  earned_.clear();
  for (std::size_t i = 0; i < remaining.size(); ++i) {
    earned_[{rows[3 * i], rows[3 * i + 1]}] = {remaining[i], rows[3 * i + 2]};
  }
}

}  // namespace souk
