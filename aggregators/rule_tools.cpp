#include "aggregators/rule_tools.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {

std::size_t largest_f(std::size_t n, std::size_t factor, std::size_t offset) {
  return n < offset ? 0 : (n - offset) / factor;
}

ToleratedF::ToleratedF(std::string_view rule, std::int32_t own, std::size_t factor, std::size_t offset)
    : rule_(rule), own_(own), factor_(factor), offset_(offset) {}

void ToleratedF::check(const RoundSize& round) const {
  const bool scenarios = own_ < 0;
  const std::size_t n = round.updates;
  const std::size_t f = scenarios ? round.tolerated_f : static_cast<std::size_t>(own_);
  if (f == 0 || n >= factor_ * f + offset_) return;
  const std::string field = scenarios ? "tolerated_f" : rule_ + ".f";
  throw_input_error("aggregator.{} = {}: {} needs n >= {} f + {} updates, and {} is less than {}; f can be at most {}",
                    field, f, rule_, factor_, offset_, n, factor_ * f + offset_, largest_f(n, factor_, offset_));
}

std::size_t ToleratedF::of(std::size_t n, std::size_t scenarios, RuleLog* log) const {
  const std::size_t told = own_ < 0 ? scenarios : static_cast<std::size_t>(own_);
  const std::size_t used = std::min(told, largest_f(n, factor_, offset_));
  if (log == nullptr) return used;
  log->tolerated[rule_.starts_with("pre.") ? rule_ + ".f" : "f"] = static_cast<double>(used);
  if (used < told) {
    log->remarks.push_back(
        fmt::format("{}: f = {} instead of {}, for it needs {} f + {} updates and {} "
                    "arrived",
                    rule_, used, told, factor_, offset_, n));
  }
  return used;
}

std::vector<double> uniform_weights(std::size_t n) { return std::vector<double>(n, 1.0 / static_cast<double>(n)); }

std::vector<double> sample_shares(std::span<const Submission> submissions) {
  double total = 0.0;
  for (const Submission& submission : submissions) total += static_cast<double>(submission.samples);
  if (total == 0.0) return uniform_weights(submissions.size());
  std::vector<double> shares;
  for (const Submission& submission : submissions) shares.push_back(static_cast<double>(submission.samples) / total);
  return shares;
}

std::vector<double> weights_of(std::span<const std::size_t> rows, std::size_t n) {
  std::vector<double> weights(n, 0.0);
  for (const std::size_t i : rows) weights[i] = 1.0 / static_cast<double>(rows.size());
  return weights;
}

std::vector<double> shares_of(std::span<const double> coefficients) {
  const double sum = std::accumulate(coefficients.begin(), coefficients.end(), 0.0);
  std::vector<double> shares(coefficients.begin(), coefficients.end());
  for (double& share : shares) share = sum > 0.0 ? share / sum : 0.0;
  return shares;
}

RuleOutput weighted_sum(const RuleInput& input, std::span<const double> coefficients) {
  return {.step = combine(input.updates, coefficients),
          .weights = shares_of(coefficients),
          .scores = {},
          .diagnostics = {}};
}

RuleOutput coordinate_wise(ColumnVector step, std::size_t n) {
  return {
      .step = std::move(step), .weights = uniform_weights(n), .scores = {}, .diagnostics = {}, .by_coordinate = true};
}

void remark(const RuleInput& input, std::string sentence) {
  if (input.log != nullptr) input.log->remarks.push_back(std::move(sentence));
}

RuleOutput mean_of(const RuleInput& input, std::span<const std::size_t> rows) {
  return weighted_sum(input, weights_of(rows, input.updates.rows()));
}

RuleOutput clipped_mean_of(const RuleInput& input, std::span<const std::size_t> rows, std::span<const double> norms,
                           double limit) {
  std::vector<double> coefficients = weights_of(rows, input.updates.rows());
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i] > 0.0) coefficients[i] *= clip_factor(norms[i], limit);
  }
  RuleOutput output = weighted_sum(input, coefficients);
  output.weights = weights_of(rows, input.updates.rows());
  return output;
}

std::vector<std::size_t> smallest(std::span<const double> values, std::size_t count) {
  const auto key = [&](std::size_t i) {
    return std::isnan(values[i]) ? std::numeric_limits<double>::infinity() : values[i];
  };
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  order.resize(std::min(count, order.size()));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<double> norms_of(const RuleInput& input) {
  std::vector<double> norms = squared_norms(input.comm, input.updates);
  for (double& norm : norms) norm = std::sqrt(norm);
  return norms;
}

double clip_factor(double norm, double limit) { return norm > limit ? limit / norm : 1.0; }

void add_noise(ColumnVector& step, const RuleInput& input, double sigma) {
  const std::uint64_t seed = input.random.next_seed();
  if (sigma == 0.0) return;
  for (const Panel& panel : input.updates.panels()) {
    Stream random(seed, streams::rule_noise(panel.index, input.round));
    for (float& value : step.panel(panel)) {
      value = static_cast<float>(static_cast<double>(value) + sigma * random.normal());
    }
  }
}

void ClientNumbers::serialize(Archive& archive) {
  std::vector<std::int64_t> clients;
  std::vector<double> values;
  for (const auto& [client, value] : values_) {
    clients.push_back(client);
    values.push_back(value);
  }
  archive.field(name_ + " clients", clients);
  archive.field(name_, values);
  SOUK_REQUIRE(clients.size() == values.size(), "saved state: '{}' has {} values for {} clients", name_, values.size(),
               clients.size());
  values_.clear();
  for (std::size_t i = 0; i < clients.size(); ++i) values_[static_cast<std::uint32_t>(clients[i])] = values[i];
}

}  // namespace souk
