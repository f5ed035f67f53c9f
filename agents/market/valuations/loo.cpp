#include "agents/market/valuation.hpp"
#include "scenarios/valuations.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// v(N) - v(N without i).
class LeaveOneOut final : public ValuationRule {
 public:
  explicit LeaveOneOut(const scenario::LeaveOneOut&) {}
  ValuationNeeds needs() const override { return {.worth = true}; }
  double most_coalitions(std::size_t updates) const override { return static_cast<double>(updates + 1); }
  Valuation value(const ValuationInput& input) override {
    const std::size_t n = input.sellers.size();
    std::vector<Coalition> coalitions(n + 1, Coalition(n, true));
    for (std::size_t i = 0; i < n; ++i) coalitions[i][i] = false;
    const std::vector<double> worths = input.worth->of(coalitions);
    Valuation valuation;
    for (std::size_t i = 0; i < n; ++i) valuation.values.push_back(worths[n] - worths[i]);
    return valuation;
  }
};

const Register<ValuationRule, LeaveOneOut, scenario::LeaveOneOut> register_leave_one_out;

}  // namespace
}  // namespace souk
