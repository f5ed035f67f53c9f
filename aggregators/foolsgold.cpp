#include <algorithm>
#include <cmath>

#include "aggregators/cosine_distances.hpp"
#include "aggregators/last_layer.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/agent_vectors.hpp"

namespace souk {
namespace {

/// Fung, Yoon, Beschastnikh, "The Limitations of Federated Learning in Sybil Settings", RAID 2020, Algorithm 1, with
/// cosines below 0 taken as 0, epsilon 1e-5, and a weight of 1 taken as 0.99 before the logit, as in the authors' code.
class FoolsGold final : public Aggregator {
 public:
  explicit FoolsGold(const scenario::FoolsGold& config)
      : sum_(config.variant() == scenario::FoolsGold::PAPER),
        last_layer_(config.features() == scenario::FoolsGold::LAST_LAYER),
        confidence_(config.confidence()) {}

  RuleNeeds needs() const override { return {.model = last_layer_, .memory = true, .history = true}; }
  RulePreserves preserves() const override { return {.translation = false, .unanimity = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.held = static_cast<double>(scale.clients) * scale.vector(),
            .working = scale.distances() + 3.0 * scale.pairs() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    remember(input);
    std::vector<AgentId> agents;
    for (const Submission& submission : input.submissions) agents.push_back(submission.agent);
    const ColumnMatrix histories = histories_.rows_of(input.comm, agents, input.updates);
    const std::vector<double> alphas = weigh(cosine_distances(input.comm, histories));
    std::vector<double> coefficients = alphas;
    for (double& value : coefficients) value /= sum_ ? 1.0 : static_cast<double>(alphas.size());
    RuleOutput output = weighted_sum(input, coefficients);
    output.scores = alphas;
    return output;
  }

  void serialize(Archive& archive, const Comm& comm) override { histories_.serialize(archive, comm); }

 private:
  /// Adds the updates to the histories, in the compared columns alone: the others stay 0 and take no part in cosines.
  void remember(const RuleInput& input) {
    ColumnRange compared{0, input.updates.dimension()};
    if (last_layer_) {
      const LastLayer last = last_layer(*input.layout);
      compared = {last.weight.begin, last.bias.size() > 0 ? last.bias.end : last.weight.end};
    }
    const ColumnRange own = input.updates.local_columns();
    const std::size_t begin = std::clamp(compared.begin, own.begin, own.end) - own.begin;
    const std::size_t end = std::clamp(compared.end, own.begin, own.end) - own.begin;
    for (std::size_t i = 0; i < input.updates.rows(); ++i) {
      const std::span<float> history = histories_.of(input.submissions[i].agent, input.updates).values();
      const std::span<const float> row = input.updates.row(i);
      for (std::size_t c = begin; c < end; ++c) history[c] += row[c];
    }
  }

  /// One minus the pardoned similarity to the most similar other, from `apart` = 1 - cosine, which keeps its digits
  /// where histories nearly agree: with v = 1 - a, 1 - c_ij v_i / v_j = (a_ij + a_i - a_j - a_ij a_i) / (1 - a_j).
  static std::vector<double> unlikeness(const SymmetricMatrix& apart) {
    const std::size_t n = apart.order;
    // No less alike than at right angles: a pardon by a negative number would punish clients for being unlike.
    const auto capped = [&](std::size_t i, std::size_t j) { return std::min(1.0, apart(i, j)); };
    std::vector<double> nearest(n, 1.0);
    for (std::size_t i = 0; i < n; ++i) {
      heartbeat::beat();
      for (std::size_t j = 0; j < n; ++j) nearest[i] = j == i ? nearest[i] : std::min(nearest[i], capped(i, j));
    }
    std::vector<double> unlike(n, 1.0);
    for (std::size_t i = 0; i < n; ++i) {
      heartbeat::beat();
      for (std::size_t j = 0; j < n; ++j) {
        if (j == i) continue;
        const double pair = capped(i, j);
        const bool pardon = nearest[j] < nearest[i];
        const double pardoned = (pair + nearest[i] - nearest[j] - pair * nearest[i]) / (1.0 - nearest[j]);
        unlike[i] = std::min(unlike[i], pardon ? pardoned : pair);
      }
    }
    return unlike;
  }

  std::vector<double> weigh(const SymmetricMatrix& apart) const {
    std::vector<double> alphas = unlikeness(apart);
    const double top = *std::max_element(alphas.begin(), alphas.end());
    for (double& alpha : alphas) {
      if (top > 0.0) alpha /= top;
      alpha = std::min(alpha, 0.99);
      const double logit = std::log(alpha / (1.0 - alpha) + 1e-5) + 0.5;
      alpha = std::clamp(confidence_ * logit, 0.0, 1.0);
    }
    return alphas;
  }

  bool sum_, last_layer_;
  double confidence_;
  AgentVectors histories_;
};

const Register<Aggregator, FoolsGold, scenario::FoolsGold> register_fools_gold;

}  // namespace
}  // namespace souk
