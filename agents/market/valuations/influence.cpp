#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// v({i}).
class Influence final : public ValuationRule {
 public:
  explicit Influence(const scenario::Influence&) {}
  ValuationNeeds needs() const override { return {.worth = true}; }
  double most_coalitions(std::size_t updates) const override { return static_cast<double>(updates); }
  Valuation value(const ValuationInput& input) override {
    const std::size_t n = input.sellers.size();
    std::vector<Coalition> alone(n, Coalition(n, false));
    for (std::size_t i = 0; i < n; ++i) alone[i][i] = true;
    return {.values = input.worth->of(alone)};
  }
};

const Register<ValuationRule, Influence, scenario::Influence> register_influence;

}  // namespace
}  // namespace souk
