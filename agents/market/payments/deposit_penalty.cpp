#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// p_i = B K_i / sum of K with the weights K of the aggregation, beside deposits of buyer and sellers: the contract of
/// Li, Liu, Li, Xu, "martFL", CCS 2023, Algorithm 2, and a deposit of the sellers' that it does not have.
class DepositPenalty final : public PaymentRule {
 public:
  explicit DepositPenalty(const scenario::DepositPenalty& config)
      : buyer_deposit_(to_micro(config.buyer_deposit())), seller_deposit_(to_micro(config.seller_deposit())) {}
  bool splits_a_sum() const override { return true; }
  MicroCredits buyer_deposit() const override { return buyer_deposit_; }
  MicroCredits seller_deposit() const override { return seller_deposit_; }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits available) const override {
    std::vector<double> weights;
    for (const Purchase& purchase : bought) weights.push_back(purchase.weight);
    return split_exactly(available, weights);
  }

 private:
  MicroCredits buyer_deposit_, seller_deposit_;
};

const Register<PaymentRule, DepositPenalty, scenario::DepositPenalty> register_deposit_penalty;

}  // namespace
}  // namespace souk
