#include <cmath>

#include "attacks/buyer_attack.hpp"
#include "attacks/buyer_tools.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// The accomplice's update and a little noise.
class BuyerCollusion final : public BuyerAttack {
 public:
  explicit BuyerCollusion(const scenario::BuyerCollusion& config) : seller_{config.seller()}, noise_(config.noise()) {}
  void check(std::size_t sellers) const override {
    SOUK_REQUIRE(seller_.value < sellers, "market.misconduct.collusion.seller = {}: there are {} sellers",
                 seller_.value, sellers);
  }
  ColumnVector baseline(const BaselineView& view) const override {
    const std::optional<std::size_t> row = row_of(view, seller_);
    if (!row) return view.honest;
    const ColumnMatrix update = view.updates.select(view.comm, std::vector<std::size_t>{*row});
    const double mean_square = squared_norms(view.comm, update).front() / static_cast<double>(view.updates.dimension());
    const double deviation = noise_ * std::sqrt(mean_square);
    ColumnVector baseline = normal_noise(view);
    const auto values = baseline.values();
    for (std::size_t c = 0; c < values.size(); ++c) {
      values[c] =
          static_cast<float>(static_cast<double>(update.row(0)[c]) + deviation * static_cast<double>(values[c]));
    }
    return baseline;
  }

 private:
  AgentId seller_;
  double noise_;
};

const Register<BuyerAttack, BuyerCollusion, scenario::BuyerCollusion> register_buyer_collusion;

}  // namespace
}  // namespace souk
