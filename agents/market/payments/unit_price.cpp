#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song, Galhotra, Mehnaz, "Benchmarking Robust Aggregation in Decentralized Gradient Marketplaces", 2025: p_i = price
/// for every update selected.
class UnitPrice final : public PaymentRule {
 public:
  explicit UnitPrice(const scenario::UnitPrice& config) : price_(to_micro(config.price())) {}
  MicroCredits highest_price() const override { return price_; }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits) const override {
    return std::vector<MicroCredits>(bought.size(), price_);
  }

 private:
  MicroCredits price_;
};

const Register<PaymentRule, UnitPrice, scenario::UnitPrice> register_unit_price;

}  // namespace
}  // namespace souk
