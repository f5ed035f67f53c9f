#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Divides by the sum, which becomes 1; all alike where it is 0.
void scale_to_one(std::vector<double>& values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value = sum > 0.0 ? value / sum : 1.0 / static_cast<double>(values.size());
}

/// Xu, Lyu, Ma, Miao, Foo, Low, "Gradient Driven Rewards", NeurIPS 2021, Algorithm 1, as in its reference code:
/// r = alpha r + (1 - alpha) cos(u_i, sum of r_j u_j), at least `floor`, scaled to sum to 1; u of unit length. r starts
/// at 0; where nobody has any, samples weigh the sum. Sellers that are not there keep theirs, and those that
/// come later start at 0.
class Cgsv final : public ValuationRule {
 public:
  explicit Cgsv(const scenario::Cgsv& config) : alpha_(config.alpha()), floor_(config.floor()) {}
  ValuationNeeds needs() const override { return {}; }
  Valuation value(const ValuationInput& input) override {
    std::vector<double> values;
    for (const AgentId seller : input.sellers) values.push_back(known_[seller.value]);
    const bool first = std::ranges::all_of(values, [](double value) { return value == 0.0; });
    const std::vector<double> cosines =
        cosines_with_sum(input, first ? std::vector<double>(input.samples.begin(), input.samples.end()) : values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = std::max(floor_, alpha_ * values[i] + (1.0 - alpha_) * cosines[i]);
    }
    scale_to_one(values);
    for (std::size_t i = 0; i < values.size(); ++i) known_[input.sellers[i].value] = values[i];
    return {.values = values};
  }
  void serialize(Archive& archive) override {
    std::vector<std::int64_t> sellers;
    std::vector<double> values;
    for (const auto& [seller, value] : known_) {
      sellers.push_back(seller);
      values.push_back(value);
    }
    archive.field("sellers", sellers);
    archive.field("values", values);
    known_.clear();
    for (std::size_t i = 0; i < sellers.size(); ++i) known_[static_cast<std::uint32_t>(sellers[i])] = values[i];
  }

 private:
  /// Of every update with the weighted sum of all, each of unit length; 0 where there is no direction.
  static std::vector<double> cosines_with_sum(const ValuationInput& input, std::vector<double> weights) {
    const std::vector<double> squares = squared_norms(input.comm, input.updates);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = squares[i] > 0.0 ? weights[i] / std::sqrt(squares[i]) : 0.0;
    }
    const ColumnVector sum = combine(input.updates, weights);
    const double sum_square = squared_norm(input.comm, input.updates.plan(), sum);
    std::vector<double> cosines = dots(input.comm, input.updates, sum);
    for (std::size_t i = 0; i < cosines.size(); ++i) {
      cosines[i] = cosine_of(cosines[i], std::sqrt(squares[i] * sum_square));
    }
    return cosines;
  }

  double alpha_, floor_;
  std::map<std::uint32_t, double> known_;  ///< by seller
};

const Register<ValuationRule, Cgsv, scenario::Cgsv> register_cgsv;

}  // namespace
}  // namespace souk
