#include <cmath>

#include "attacks/buyer_attack.hpp"
#include "attacks/buyer_tools.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

constexpr int projections = 2;  // the second takes away what rounding left of the first

/// The honest baseline less its projection on a seller's update.
class OrthogonalPivot final : public BuyerAttack {
 public:
  explicit OrthogonalPivot(const scenario::OrthogonalPivot& config) : seller_(config.seller()) {}
  void check(std::size_t sellers) const override {
    SOUK_REQUIRE(seller_ < static_cast<std::int64_t>(sellers),
                 "market.misconduct.orthogonal_pivot.seller = {}: there are {} sellers", seller_, sellers);
  }
  ColumnVector baseline(const BaselineView& view) const override {
    ColumnVector baseline = view.honest;
    const std::optional<std::size_t> row = target(view);
    for (int k = 0; row && k < projections; ++k) {
      const ColumnMatrix update = view.updates.select(view.comm, std::vector<std::size_t>{*row});
      const auto [products, squares] = dots_and_norms(view.comm, update, baseline);
      if (!(squares.front() > 0.0)) break;
      const double factor = products.front() / squares.front();
      const auto values = baseline.values();
      for (std::size_t c = 0; c < values.size(); ++c) {
        values[c] = static_cast<float>(static_cast<double>(values[c]) - factor * static_cast<double>(update.row(0)[c]));
      }
    }
    return baseline;
  }

 private:
  std::optional<std::size_t> target(const BaselineView& view) const {
    return seller_ < 0 ? nearest(view) : row_of(view, {static_cast<std::uint32_t>(seller_)});
  }

  /// The update of the largest cosine with the honest baseline; of equals the first.
  static std::optional<std::size_t> nearest(const BaselineView& view) {
    const auto [products, squares] = dots_and_norms(view.comm, view.updates, view.honest);
    std::optional<std::size_t> best;
    double best_cosine = 0.0;  // times the baseline's length
    for (std::size_t i = 0; i < products.size(); ++i) {
      if (!(squares[i] > 0.0)) continue;
      const double cosine = products[i] / std::sqrt(squares[i]);
      if (best && cosine <= best_cosine) continue;
      best = i;
      best_cosine = cosine;
    }
    return best;
  }

  std::int64_t seller_;
};

const Register<BuyerAttack, OrthogonalPivot, scenario::OrthogonalPivot> register_orthogonal_pivot;

}  // namespace
}  // namespace souk
