#include <cmath>

#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Cosine with the buyer's own update; 0 where either is 0.
class CosineValue final : public ValuationRule {
 public:
  explicit CosineValue(const scenario::CosineValue&) {}
  ValuationNeeds needs() const override { return {.root_update = true}; }
  Valuation value(const ValuationInput& input) override {
    const auto [products, squares] = dots_and_norms(input.comm, input.updates, *input.root_update);
    const double own = squared_norm(input.comm, input.updates.plan(), *input.root_update);
    Valuation valuation;
    for (std::size_t i = 0; i < products.size(); ++i) {
      valuation.values.push_back(cosine_of(products[i], std::sqrt(squares[i] * own)));
    }
    return valuation;
  }
};

const Register<ValuationRule, CosineValue, scenario::CosineValue> register_cosine_value;

}  // namespace
}  // namespace souk
