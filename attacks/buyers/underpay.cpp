#include <algorithm>
#include <cmath>
#include <numeric>

#include "attacks/buyer_attack.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

/// Denies some of what it uses.
class Underpay final : public BuyerAttack {
 public:
  explicit Underpay(const scenario::Underpay& config) : share_(config.share()) {}
  std::vector<bool> denies(std::span<const double> weights, Stream& random) const override {
    std::vector<std::uint32_t> used;
    for (std::uint32_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0.0) used.push_back(i);
    }
    std::vector<bool> denied(weights.size(), false);
    if (used.empty()) return denied;
    random.shuffle(used);
    const auto count = std::max<std::int64_t>(1, std::llround(share_ * static_cast<double>(used.size())));
    for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) denied[used[k]] = true;
    return denied;
  }

 private:
  double share_;
};

const Register<BuyerAttack, Underpay, scenario::Underpay> register_underpay;

}  // namespace
}  // namespace souk
