#include <algorithm>
#include <cmath>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Cao, Fang, Liu, Gong, "FLTrust: Byzantine-robust Federated Learning via Trust Bootstrapping", NDSS 2021, equations
/// 2 to 5. The paper leaves a sum of trust of 0 undefined: the model then stays as it is. Noise on the cosines is
/// Souk's own.
class FlTrust final : public Aggregator {
 public:
  explicit FlTrust(const scenario::FlTrust& config) : score_noise_(config.score_noise()) {}

  RuleNeeds needs() const override { return {.root_update = true}; }
  RulePreserves preserves() const override {
    return {.scale = false, .translation = false, .unanimity = false, .noise = score_noise_ > 0.0};
  }

  double score_noise() const override { return score_noise_; }

  RuleOutput aggregate(const RuleInput& input) override {
    const auto [products, squares] = dots_and_norms(input.comm, input.updates, *input.root_update);
    const double root_norm = std::sqrt(squared_norm(input.comm, input.updates.plan(), *input.root_update));
    std::vector<double> trust, norms;
    for (std::size_t i = 0; i < products.size(); ++i) {
      norms.push_back(std::sqrt(squares[i]));
      const double noise = score_noise_ > 0.0 ? score_noise_ * input.random.normal() : 0.0;
      trust.push_back(std::max(0.0, cosine_of(products[i], norms[i] * root_norm) + noise));
    }
    std::vector<double> weights = shares_of(trust);
    std::vector<double> coefficients = weights;
    for (std::size_t i = 0; i < coefficients.size(); ++i) {
      if (coefficients[i] > 0.0) coefficients[i] *= root_norm / norms[i];
    }
    RuleOutput output = weighted_sum(input, coefficients);
    output.weights = std::move(weights);
    output.scores = std::move(trust);
    return output;
  }

 private:
  double score_noise_;
};

const Register<Aggregator, FlTrust, scenario::FlTrust> register_fl_trust;

}  // namespace
}  // namespace souk
