#include <cmath>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Xie, Koyejo, Gupta, "Zeno++: Robust Fully Asynchronous SGD", ICML 2020, Definition 2, in rounds: every update of a
/// round is a candidate, and the accepted ones are averaged. Updates and v point downhill, so the sign of the product
/// is that of the paper's gradients.
class ZenoPp final : public Aggregator {
 public:
  explicit ZenoPp(const scenario::ZenoPp& config)
      : gamma_(config.gamma()), rho_(config.rho()), epsilon_(config.epsilon()), refresh_(config.refresh()) {}

  RuleNeeds needs() const override { return {.root_update = true, .memory = refresh_ > 1}; }
  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.held = scale.vector(), .working = scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    if (age_ == 0) {
      reference_ = *input.root_update;
      dimension_ = static_cast<std::int64_t>(input.updates.dimension());
    }
    age_ = (age_ + 1) % refresh_;
    const auto [products, squares] = dots_and_norms(input.comm, input.updates, reference_);
    const double square = squared_norm(input.comm, input.updates.plan(), reference_);
    std::vector<double> scores, scales;
    std::vector<std::size_t> accepted;
    for (std::size_t i = 0; i < products.size(); ++i) {
      scales.push_back(squares[i] > 0.0 ? std::sqrt(square / squares[i]) : 0.0);
      const double length = squares[i] > 0.0 ? square : 0.0;  // of the rescaled candidate, squared
      scores.push_back(gamma_ * products[i] * scales[i] - rho_ * length);
      if (scores[i] >= -gamma_ * epsilon_) accepted.push_back(i);
    }
    std::vector<double> weights = weights_of(accepted, products.size());
    std::vector<double> coefficients = weights;
    for (std::size_t i = 0; i < coefficients.size(); ++i) coefficients[i] *= scales[i];
    RuleOutput output = weighted_sum(input, coefficients);
    output.weights = std::move(weights);
    output.scores = std::move(scores);
    return output;
  }

  void serialize(Archive& archive, const Comm& comm) override {
    archive.field("age", age_);
    archive.field("dimension", dimension_);
    serialize_columns(archive, "reference", comm, static_cast<std::size_t>(dimension_), reference_);
  }

 private:
  double gamma_, rho_, epsilon_;
  std::int64_t refresh_;
  std::int64_t age_ = 0;  ///< rounds since the reference was taken; 0: take it anew
  std::int64_t dimension_ = 0;
  ColumnVector reference_;
};

const Register<Aggregator, ZenoPp, scenario::ZenoPp> register_zeno_pp;

}  // namespace
}  // namespace souk
