#include "agents/market/market_metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/stats/inequality.hpp"

namespace souk {
namespace {

/// Accuracies in percent whose price is recorded.
constexpr std::array<int, 3> targets{70, 80, 85};

std::vector<double> ascending(std::vector<double> amounts) {
  std::sort(amounts.begin(), amounts.end());
  return amounts;
}

double sum_of_amounts(const std::vector<double>& amounts) {
  return std::accumulate(amounts.begin(), amounts.end(), 0.0);
}

void add_if(RoundRecord& record, const char* name, std::optional<double> value) {
  if (value) record.add(name, *value);
}

/// One field of every element, saved or loaded as a vector.
template <class Element, class Value>
void serialize_column(Archive& archive, const char* name, std::vector<Element>& elements, Value Element::*member) {
  std::vector<Value> column;
  for (const Element& element : elements) column.push_back(element.*member);
  archive.field(name, column);
  SOUK_REQUIRE(column.size() == elements.size(), "saved state: {} of {} sellers, not {}", name, column.size(),
               elements.size());
  for (std::size_t i = 0; i < column.size(); ++i) elements[i].*member = column[i];
}

}  // namespace

MarketMetrics::MarketMetrics(std::vector<SellerFacts> sellers)
    : facts_(std::move(sellers)), histories_(facts_.size()), reached_costs_(targets.size(), -1.0) {}

void MarketMetrics::note(std::span<const SellerRound> sellers, RoundRecord& record) {
  ++rounds_;
  std::vector<std::int64_t> bought;
  for (const SellerRound& seller : sellers) {
    note_seller(seller);
    if (seller.bought) bought.push_back(seller.seller.value);
  }
  note_prices(sellers);
  std::sort(bought.begin(), bought.end());
  if (rounds_ > 1) jaccard_sum_ += jaccard(bought);
  last_bought_ = std::move(bought);
  record_round(sellers, record);
  record_incomes(record);
  record_fairness(record);
  record_classes(record);
  record_contributions(sellers, record);
  record_selection(record);
  record_streaks(record);
  record_variances(record);
}

void MarketMetrics::note_seller(const SellerRound& seller) {
  History& history = histories_[seller.seller.value];
  const double paid = to_credits(seller.paid);
  history.income += seller.paid;
  history.squared_income += paid * paid;
  history.cost += seller.cost;
  ++history.delivered;
  if (seller.value) {
    history.value += *seller.value;
    ++history.valued;
  }
  if (seller.distance) distance_and_bought_.add(*seller.distance, seller.bought ? 1.0 : 0.0);
  if (seller.bought) note_sale(history);
}

void MarketMetrics::note_sale(History& history) const {
  ++history.sales;
  if (history.first_sale == 0) history.first_sale = rounds_;
  const bool goes_on = history.last_sale > 0 && history.last_sale == rounds_ - 1;
  if (!goes_on) ++history.streaks;
  history.streak = goes_on ? history.streak + 1 : 1;
  history.longest_streak = std::max(history.longest_streak, history.streak);
  history.last_sale = rounds_;
}

void MarketMetrics::note_prices(std::span<const SellerRound> sellers) {
  MicroCredits paid = 0;
  std::int64_t bought = 0;
  for (const SellerRound& seller : sellers) {
    paid += seller.paid;
    bought += seller.bought ? 1 : 0;
  }
  if (bought > 0) mean_price_.add(to_credits(paid) / static_cast<double>(bought));
}

void MarketMetrics::record_round(std::span<const SellerRound> sellers, RoundRecord& record) const {
  MicroCredits all = 0, to_malicious = 0;
  for (const SellerRound& seller : sellers) {
    all += seller.paid;
    if (facts_[seller.seller.value].malicious) to_malicious += seller.paid;
  }
  record.add("bought", static_cast<double>(last_bought_.size()));
  record.add("spent", to_credits(all));
  record.add("spent_on_benign", to_credits(all - to_malicious));
  record.add("spent_on_malicious", to_credits(to_malicious));
}

void MarketMetrics::record_incomes(RoundRecord& record) const {
  MicroCredits of_benign = 0, of_malicious = 0;
  double benign_cost = 0.0;
  std::size_t benign = 0, rational = 0;
  for (std::size_t id = 0; id < histories_.size(); ++id) {
    const History& history = histories_[id];
    (facts_[id].malicious ? of_malicious : of_benign) += history.income;
    if (!facts_[id].malicious) {
      ++benign;
      benign_cost += history.cost;
    }
    // Prices are whole millionths and costs are not: a price equal to the cost may lie that much below it.
    const double rounding = to_credits(history.sales);
    if (to_credits(history.income) + rounding >= history.cost) ++rational;
  }
  const double from_benign = to_credits(of_benign), from_malicious = to_credits(of_malicious);
  const auto malicious = static_cast<double>(histories_.size() - benign);
  record.add("spent_total", to_credits(of_benign + of_malicious));
  record.add("benign_income", from_benign);
  record.add("malicious_income", from_malicious);
  record.add("budget_leakage", from_malicious);
  record.add("benign_surplus", from_benign - benign_cost);
  record.add("individual_rationality", static_cast<double>(rational) / static_cast<double>(histories_.size()));
  if (of_benign + of_malicious > 0) {
    record.add("malicious_income_share", from_malicious / (from_benign + from_malicious));
  }
  if (of_malicious > 0 && benign > 0) {
    record.add("benign_malicious_ratio", (from_benign / static_cast<double>(benign)) / (from_malicious / malicious));
  }
}

void MarketMetrics::record_fairness(RoundRecord& record) const {
  std::vector<double> incomes, incomes_of_sellers, samples;
  for (std::size_t id = 0; id < histories_.size(); ++id) {
    if (facts_[id].malicious) continue;
    incomes.push_back(to_credits(histories_[id].income));
    samples.push_back(static_cast<double>(facts_[id].samples));
    if (histories_[id].sales > 0) incomes_of_sellers.push_back(incomes.back());
  }
  if (!(sum_of_amounts(incomes) > 0.0)) return;
  record.add("payment_gini", gini(ascending(incomes)));
  record.add("payment_gini_of_sellers", gini(ascending(incomes_of_sellers)));
  record.add("payment_jain", jain(incomes));
  add_if(record, "income_size_correlation", spearman(incomes, samples));
}

void MarketMetrics::record_classes(RoundRecord& record) const {
  std::vector<double> of_class;
  for (std::size_t id = 0; id < histories_.size(); ++id) {
    const std::vector<float>& shares = facts_[id].class_shares;
    of_class.resize(std::max(of_class.size(), shares.size()), 0.0);
    for (std::size_t c = 0; c < shares.size(); ++c) of_class[c] += to_credits(histories_[id].income) * shares[c];
  }
  for (std::size_t c = 0; c < of_class.size(); ++c) {
    record.add("income_of_class", of_class[c], -1, static_cast<std::int64_t>(c));
  }
}

void MarketMetrics::record_contributions(std::span<const SellerRound> sellers, RoundRecord& record) const {
  std::vector<double> values, paid, total_values, incomes;
  for (const SellerRound& seller : sellers) {
    if (!seller.value) continue;
    values.push_back(*seller.value);
    paid.push_back(to_credits(seller.paid));
  }
  for (const History& history : histories_) {
    if (history.valued == 0) continue;
    total_values.push_back(history.value);
    incomes.push_back(to_credits(history.income));
  }
  add_if(record, "contribution_reward_correlation", pearson(values, paid));
  add_if(record, "contribution_reward_rank_correlation", spearman(values, paid));
  add_if(record, "contribution_income_correlation", pearson(total_values, incomes));
  add_if(record, "contribution_income_rank_correlation", spearman(total_values, incomes));
}

void MarketMetrics::record_selection(RoundRecord& record) const {
  std::vector<double> sales;
  double of_malicious = 0.0, of_benign = 0.0, delivered_by_benign = 0.0;
  for (std::size_t id = 0; id < histories_.size(); ++id) {
    sales.push_back(static_cast<double>(histories_[id].sales));
    (facts_[id].malicious ? of_malicious : of_benign) += sales.back();
    if (!facts_[id].malicious) delivered_by_benign += static_cast<double>(histories_[id].delivered);
  }
  if (of_malicious + of_benign > 0.0) {
    record.add("malicious_selection_rate", of_malicious / (of_malicious + of_benign));
    record.add("selection_entropy", entropy(sales));
  }
  if (delivered_by_benign > 0.0) record.add("benign_selection_rate", of_benign / delivered_by_benign);
  if (rounds_ > 1) record.add("selection_stability", jaccard_sum_ / static_cast<double>(rounds_ - 1));
  add_if(record, "divergence_selection_correlation", distance_and_bought_.value());
}

void MarketMetrics::record_streaks(RoundRecord& record) const {
  double sold = 0.0, longest = 0.0, mean = 0.0, first = 0.0;
  for (const History& history : histories_) {
    if (history.sales == 0) continue;
    sold += 1.0;
    longest += static_cast<double>(history.longest_streak);
    mean += static_cast<double>(history.sales) / static_cast<double>(history.streaks);
    first += static_cast<double>(history.first_sale);
  }
  record.add("never_sold", 1.0 - sold / static_cast<double>(histories_.size()));
  if (sold == 0.0) return;
  record.add("longest_sales_streak", longest / sold);
  record.add("mean_sales_streak", mean / sold);
  record.add("rounds_to_first_sale", first / sold);
}

void MarketMetrics::record_variances(RoundRecord& record) const {
  if (mean_price_.count >= 2.0) record.add("price_variance", mean_price_.variance());
  if (rounds_ < 2) return;
  const auto rounds = static_cast<double>(rounds_);
  double variances = 0.0;
  for (const History& history : histories_) {
    const double mean = to_credits(history.income) / rounds;
    variances += std::max(0.0, history.squared_income / rounds - mean * mean);
  }
  record.add("income_variance", variances / static_cast<double>(histories_.size()));
}

/// Of two rounds in which nothing was bought: 1, they are the same.
double MarketMetrics::jaccard(const std::vector<std::int64_t>& bought) const {
  std::vector<std::int64_t> both;
  std::set_intersection(bought.begin(), bought.end(), last_bought_.begin(), last_bought_.end(),
                        std::back_inserter(both));
  const std::size_t either = bought.size() + last_bought_.size() - both.size();
  return either == 0 ? 1.0 : static_cast<double>(both.size()) / static_cast<double>(either);
}

double MarketMetrics::spent() const {
  MicroCredits sum = 0;
  for (const History& history : histories_) sum += history.income;
  return to_credits(sum);
}

void MarketMetrics::note_quality(double quality, RoundRecord& record) {
  for (std::size_t t = 0; t < targets.size(); ++t) {
    if (reached_costs_[t] < 0.0 && quality >= targets[t] / 100.0) reached_costs_[t] = spent();
    if (reached_costs_[t] >= 0.0) record.add(fmt::format("cost_of_convergence.{}", targets[t]), reached_costs_[t]);
  }
  if (std::isnan(first_quality_)) first_quality_ = quality;
  if (quality > first_quality_) record.add("credits_per_point", spent() / (100.0 * (quality - first_quality_)));
}

void MarketMetrics::serialize(Archive& archive) {
  serialize_column(archive, "incomes", histories_, &History::income);
  serialize_column(archive, "squared incomes", histories_, &History::squared_income);
  serialize_column(archive, "costs", histories_, &History::cost);
  serialize_column(archive, "values", histories_, &History::value);
  serialize_column(archive, "rounds valued", histories_, &History::valued);
  serialize_column(archive, "rounds delivered", histories_, &History::delivered);
  serialize_column(archive, "sales", histories_, &History::sales);
  serialize_column(archive, "first sales", histories_, &History::first_sale);
  serialize_column(archive, "last sales", histories_, &History::last_sale);
  serialize_column(archive, "streaks going on", histories_, &History::streak);
  serialize_column(archive, "longest streaks", histories_, &History::longest_streak);
  serialize_column(archive, "streaks", histories_, &History::streaks);
  archive.field("last bought", last_bought_);
  archive.field("market rounds", rounds_);
  archive.field("jaccard sum", jaccard_sum_);
  for (double* value : {&distance_and_bought_.pairs, &distance_and_bought_.mean_x, &distance_and_bought_.mean_y,
                        &distance_and_bought_.squares_x, &distance_and_bought_.squares_y,
                        &distance_and_bought_.products, &mean_price_.count, &mean_price_.mean, &mean_price_.squares}) {
    archive.field("moments", *value);
  }
  archive.field("costs of convergence", reached_costs_);
  archive.field("first quality", first_quality_);
}

}  // namespace souk
