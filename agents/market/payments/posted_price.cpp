#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// p_i = price, known beforehand: sellers that ask more stay away, and the buyer looks only at updates with
/// cos(u_i, g) / price >= reserve, g being its own.
class PostedPrice final : public PaymentRule {
 public:
  explicit PostedPrice(const scenario::PostedPrice& config)
      : price_(to_micro(config.price())),
        least_cosine_(config.reserve() * config.price()),
        reserve_(config.reserve()) {}
  bool needs_cosine() const override { return reserve_ > 0.0; }
  MicroCredits highest_price() const override { return price_; }
  std::optional<MicroCredits> posted_price() const override { return price_; }
  std::vector<std::optional<MicroCredits>> shortlist(std::span<const Offer> offers, MicroCredits) const override {
    std::vector<std::optional<MicroCredits>> agreed;
    for (const Offer& offer : offers) {
      const bool worth_it = reserve_ == 0.0 || offer.cosine >= least_cosine_;
      agreed.push_back(worth_it ? std::optional(price_) : std::nullopt);
    }
    return agreed;
  }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits) const override {
    return std::vector<MicroCredits>(bought.size(), price_);
  }

 private:
  MicroCredits price_;
  double least_cosine_, reserve_;
};

const Register<PaymentRule, PostedPrice, scenario::PostedPrice> register_posted_price;

}  // namespace
}  // namespace souk
