#include <algorithm>
#include <cmath>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"
#include "sim/stats/distributions.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

struct Moments {
  double mean = 0.0, deviation = 0.0;
};

Moments moments_of(std::span<const double> values) {
  Moments moments;
  for (const double value : values) moments.mean += value / static_cast<double>(values.size());
  double square = 0.0;
  for (const double value : values) square += (value - moments.mean) * (value - moments.mean);
  moments.deviation = std::sqrt(square / static_cast<double>(values.size()));
  return moments;
}

/// Muñoz-González, Co, Lupu, "Byzantine-Robust Federated Machine Learning through Adaptive Model Averaging", 2019,
/// Algorithm 1. The aggregate is tried out as coefficients: its cosines come from the updates' Gram matrix.
class Afa final : public Aggregator {
 public:
  explicit Afa(const scenario::Afa& config)
      : xi_(config.xi()),
        xi_step_(config.xi_step()),
        alpha0_(config.alpha0()),
        beta0_(config.beta0()),
        block_(config.block()) {}

  RuleNeeds needs() const override { return {.memory = true, .history = true}; }
  RulePreserves preserves() const override { return {.translation = false}; }

  void check(const RoundSize&) const override {
    SOUK_REQUIRE(block_ == 1.0 || regularized_incomplete_beta(alpha0_, beta0_, 0.5) <= block_,
                 "aggregator.afa.block = {}: blocks every client before its first round (alpha0 = {}, beta0 = {})",
                 block_, alpha0_, beta0_);
  }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.held = 2.0 * client_number_bytes * static_cast<double>(scale.clients),
            .working = scale.distances() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::vector<double> importance = importance_of(input);
    std::vector<std::size_t> good;
    for (std::size_t i = 0; i < n; ++i) {
      if (!blocked(input.submissions[i].agent)) good.push_back(i);
    }
    const std::size_t blocked_now = n - good.size();
    const SymmetricMatrix products = gram(input.comm, input.updates);
    double xi = xi_;
    while (good.size() > 1 && drop_outliers(products, importance, xi, good)) xi += xi_step_;

    std::vector<double> scores;
    for (std::size_t i = 0; i < n; ++i) {
      const AgentId agent = input.submissions[i].agent;
      const bool is_good = std::binary_search(good.begin(), good.end(), i);
      if (!blocked(agent)) (is_good ? good_ : bad_).of(agent) += 1.0;
      scores.push_back(reputation(agent));
    }
    RuleOutput output = weighted_sum(input, shares_of(restricted(importance, good)));
    output.scores = std::move(scores);
    output.diagnostics = {{"blocked", static_cast<double>(blocked_now)}};
    return output;
  }

  void serialize(Archive& archive, const Comm&) override {
    good_.serialize(archive);
    bad_.serialize(archive);
  }

 private:
  double reputation(AgentId agent) {
    const double good = alpha0_ + good_.of(agent);
    return good / (good + beta0_ + bad_.of(agent));
  }

  bool blocked(AgentId agent) {
    return regularized_incomplete_beta(alpha0_ + good_.of(agent), beta0_ + bad_.of(agent), 0.5) > block_;
  }

  /// p_i n_i, up to a factor.
  std::vector<double> importance_of(const RuleInput& input) {
    std::vector<double> importance = sample_shares(input.submissions);
    for (std::size_t i = 0; i < importance.size(); ++i) importance[i] *= reputation(input.submissions[i].agent);
    return importance;
  }

  static std::vector<double> restricted(const std::vector<double>& importance, std::span<const std::size_t> rows) {
    std::vector<double> some(importance.size(), 0.0);
    for (const std::size_t i : rows) some[i] = importance[i];
    return some;
  }

  /// Drops from `good` the updates whose cosine to the aggregate of the good ones is beyond the median by more than xi
  /// deviations, below it where the mean is below it, else above. Whether any was.
  static bool drop_outliers(const SymmetricMatrix& products, const std::vector<double>& importance, double xi,
                            std::vector<std::size_t>& good) {
    const std::vector<double> c = shares_of(restricted(importance, good));
    std::vector<double> along(c.size(), 0.0);
    double square = 0.0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      heartbeat::beat();
      for (const std::size_t j : good) along[i] += products(i, j) * c[j];
      square += c[i] * along[i];
    }
    std::vector<double> cosines;
    for (const std::size_t i : good) {
      cosines.push_back(cosine_of(along[i], std::sqrt(products(i, i)) * std::sqrt(std::max(0.0, square))));
    }
    const Moments moments = moments_of(cosines);
    const double middle = median(cosines);
    std::vector<std::size_t> kept;
    for (std::size_t k = 0; k < good.size(); ++k) {
      const bool out = moments.mean < middle ? cosines[k] < middle - xi * moments.deviation
                                             : cosines[k] > middle + xi * moments.deviation;
      if (!out) kept.push_back(good[k]);
    }
    const bool dropped = kept.size() < good.size();
    good = std::move(kept);
    return dropped;
  }

  double xi_, xi_step_, alpha0_, beta0_, block_;
  ClientNumbers good_{"good rounds"}, bad_{"bad rounds"};
};

const Register<Aggregator, Afa, scenario::Afa> register_afa;

}  // namespace
}  // namespace souk
