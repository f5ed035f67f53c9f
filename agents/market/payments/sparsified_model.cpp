#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Xu et al., "Gradient Driven Rewards to Guarantee Fairness in Collaborative Machine Learning", NeurIPS 2021: no
/// money; what sellers earn is a model (reward_shares.hpp).
class SparsifiedModel final : public PaymentRule {
 public:
  explicit SparsifiedModel(const scenario::SparsifiedModel&) {}
  bool needs_valuation() const override { return true; }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits) const override {
    return std::vector<MicroCredits>(bought.size(), 0);
  }
};

const Register<PaymentRule, SparsifiedModel, scenario::SparsifiedModel> register_sparsified_model;

}  // namespace
}  // namespace souk
