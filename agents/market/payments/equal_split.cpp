#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// p_i = B / |S|.
class EqualSplit final : public PaymentRule {
 public:
  explicit EqualSplit(const scenario::EqualSplit&) {}
  bool splits_a_sum() const override { return true; }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits available) const override {
    return split_exactly(available, std::vector<double>(bought.size(), 1.0));
  }
};

const Register<PaymentRule, EqualSplit, scenario::EqualSplit> register_equal_split;

}  // namespace
}  // namespace souk
