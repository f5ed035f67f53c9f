#include "agents/market/ledger.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {

MicroCredits to_micro(double credits) {
  SOUK_EXPECT(credits >= 0.0 && credits <= 1e12);
  return std::llround(credits * static_cast<double>(micro_per_credit));
}

/// No balance and no income exceeds what was issued, so that no sum of money overflows.
void Ledger::receive(std::int64_t payee, MicroCredits amount) {
  SOUK_REQUIRE(amount <= std::numeric_limits<MicroCredits>::max() - issued_,
               "market: more than nine trillion credits issued in all; lower budgets, prices or sellers.capital");
  SOUK_EXPECT(amount >= 0);
  balances_[payee] += amount;
  issued_ += amount;
}

void Ledger::issue(std::int64_t payee, MicroCredits amount, RoundRecord& record) {
  receive(payee, amount);
  if (amount > 0) record.transfers.push_back({"issue", payee, payee, amount});
}

void Ledger::transfer(const std::string& kind, std::int64_t payer, std::int64_t payee, MicroCredits amount,
                      RoundRecord& record) {
  SOUK_EXPECT(amount >= 0 && balance(payer) >= amount);
  if (amount == 0) return;
  balances_[payer] -= amount;
  balances_[payee] += amount;
  record.transfers.push_back({kind, payer, payee, amount});
}

MicroCredits Ledger::balance(std::int64_t account) const {
  const auto found = balances_.find(account);
  return found == balances_.end() ? 0 : found->second;
}

void Ledger::serialize(Archive& archive) {
  std::vector<std::int64_t> rows;
  for (const auto& [account, balance] : balances_) rows.insert(rows.end(), {account, balance});
  archive.field("balances", rows);
  archive.field("issued", issued_);
  balances_.clear();
  for (std::size_t i = 0; i + 1 < rows.size(); i += 2) balances_[rows[i]] = rows[i + 1];
}

std::vector<MicroCredits> split_exactly(MicroCredits amount, const std::vector<double>& shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<MicroCredits> parts(shares.size(), 0);
  if (!(sum > 0.0)) return parts;
  std::vector<double> remainders;
  MicroCredits left = amount;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double exact = static_cast<double>(amount) * (shares[i] / sum);
    // In double a part may come out above what is left, by the last millionths of very large sums.
    parts[i] = std::min(left, static_cast<MicroCredits>(std::floor(exact)));
    left -= parts[i];
    remainders.push_back(exact - std::floor(exact));
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  for (std::size_t turn = 0; left > 0; turn = (turn + 1) % order.size()) {
    if (shares[order[turn]] == 0.0) continue;
    ++parts[order[turn]];
    --left;
  }
  return parts;
}

}  // namespace souk
