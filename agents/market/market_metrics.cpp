#include "agents/market/market_metrics.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "sim/base/archive.hpp"
#include "sim/base/inequality.hpp"

namespace souk {
namespace {

/// Accuracies in percent whose price is recorded.
constexpr std::array<int, 3> targets{70, 80, 85};

std::vector<double> ascending(std::vector<double> amounts) {
  std::sort(amounts.begin(), amounts.end());
  return amounts;
}

double sum_of(const std::vector<double>& amounts) { return std::accumulate(amounts.begin(), amounts.end(), 0.0); }

}  // namespace

MarketMetrics::MarketMetrics(std::vector<bool> malicious)
    : malicious_(std::move(malicious)),
      incomes_(malicious_.size(), 0),
      sales_(malicious_.size(), 0),
      costs_(malicious_.size(), 0.0),
      reached_costs_(targets.size(), -1.0) {}

void MarketMetrics::note(std::span<const SellerRound> sellers, RoundRecord& record) {
  MicroCredits spent = 0, to_malicious = 0;
  std::vector<std::int64_t> bought;
  for (const SellerRound& seller : sellers) {
    const std::size_t id = seller.seller.value;
    incomes_[id] += seller.paid;
    costs_[id] += seller.cost;
    spent += seller.paid;
    if (malicious_[id]) to_malicious += seller.paid;
    if (!seller.bought) continue;
    ++sales_[id];
    bought.push_back(seller.seller.value);
  }
  std::sort(bought.begin(), bought.end());
  if (rounds_ > 0) jaccard_sum_ += jaccard(bought);
  ++rounds_;
  last_bought_ = std::move(bought);
  record.add("bought", static_cast<double>(last_bought_.size()));
  record.add("spent", to_credits(spent));
  record.add("spent_on_malicious", to_credits(to_malicious));
  record_incomes(record);
  record_selection(record);
}

void MarketMetrics::record_incomes(RoundRecord& record) const {
  std::vector<double> benign, benign_sellers, malicious;
  std::size_t rational = 0;
  for (std::size_t id = 0; id < incomes_.size(); ++id) {
    const double income = to_credits(incomes_[id]);
    (malicious_[id] ? malicious : benign).push_back(income);
    if (!malicious_[id] && sales_[id] > 0) benign_sellers.push_back(income);
    if (income >= costs_[id]) ++rational;
  }
  const double of_benign = sum_of(benign), of_malicious = sum_of(malicious);
  record.add("spent_total", of_benign + of_malicious);
  record.add("benign_income", of_benign);
  record.add("malicious_income", of_malicious);
  record.add("individual_rationality", static_cast<double>(rational) / static_cast<double>(incomes_.size()));
  if (of_benign + of_malicious > 0.0) {
    record.add("malicious_income_share", of_malicious / (of_benign + of_malicious));
  }
  if (of_malicious > 0.0) {
    record.add("benign_malicious_ratio", (of_benign / static_cast<double>(benign.size())) /
                                             (of_malicious / static_cast<double>(malicious.size())));
  }
  if (of_benign > 0.0) {
    record.add("payment_gini", gini(ascending(benign)));
    record.add("payment_gini_of_sellers", gini(ascending(benign_sellers)));
    record.add("payment_jain", jain(benign));
  }
}

void MarketMetrics::record_selection(RoundRecord& record) const {
  const std::vector<double> sales(sales_.begin(), sales_.end());
  const double all = sum_of(sales);
  if (all > 0.0) {
    double of_malicious = 0.0;
    for (std::size_t id = 0; id < sales.size(); ++id) of_malicious += malicious_[id] ? sales[id] : 0.0;
    record.add("malicious_selection_rate", of_malicious / all);
    record.add("selection_entropy", entropy(sales));
  }
  if (rounds_ > 1) record.add("selection_stability", jaccard_sum_ / static_cast<double>(rounds_ - 1));
}

/// Of two rounds in which nothing was bought: 1, they are the same.
double MarketMetrics::jaccard(const std::vector<std::int64_t>& bought) const {
  std::vector<std::int64_t> both;
  std::set_intersection(bought.begin(), bought.end(), last_bought_.begin(), last_bought_.end(),
                        std::back_inserter(both));
  const std::size_t either = bought.size() + last_bought_.size() - both.size();
  return either == 0 ? 1.0 : static_cast<double>(both.size()) / static_cast<double>(either);
}

void MarketMetrics::note_accuracy(double accuracy, RoundRecord& record) {
  const double spent = to_credits(std::accumulate(incomes_.begin(), incomes_.end(), MicroCredits{0}));
  for (std::size_t t = 0; t < targets.size(); ++t) {
    if (reached_costs_[t] < 0.0 && accuracy >= targets[t] / 100.0) reached_costs_[t] = spent;
    if (reached_costs_[t] >= 0.0) record.add(fmt::format("cost_of_convergence.{}", targets[t]), reached_costs_[t]);
  }
}

void MarketMetrics::serialize(Archive& archive) {
  archive.field("incomes", incomes_);
  archive.field("sales", sales_);
  archive.field("costs", costs_);
  archive.field("last bought", last_bought_);
  archive.field("market rounds", rounds_);
  archive.field("jaccard sum", jaccard_sum_);
  archive.field("costs of convergence", reached_costs_);
}

}  // namespace souk
