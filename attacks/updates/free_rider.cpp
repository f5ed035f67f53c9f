#include <algorithm>
#include <cmath>

#include "attacks/uniform_values.hpp"
#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Lin, Du, Liu, "Free-riders in Federated Learning: Attacks and Defenses", arXiv:1911.12560, sections 3 and 4: random
/// weights, delta weights, advanced delta weights.
class FreeRider final : public CraftWith<Own> {
 public:
  explicit FreeRider(const scenario::FreeRider& config)
      : kind_(config.kind()), radius_(static_cast<float>(config.radius())), sigma_(config.sigma()) {}

  Crafted craft(const View<Own>& view) override {
    ColumnMatrixBuilder crafted(view.comm, 1, view.honest.dimension());
    const std::span<float> row = crafted.row(0);
    if (kind_ == scenario::FreeRider::RANDOM) {
      fill_uniform(view, view.self, 0, view.honest, row);
      for (float& value : row) value = radius_ * (2.0F * value - 1.0F);
    } else if (kind_ == scenario::FreeRider::DELTA) {
      std::ranges::copy(view.change.values(), row.begin());
    } else {
      const auto sigma = static_cast<float>(noise(view));
      fill_normal(view, view.self, 0, view.honest, row);
      for (std::size_t c = 0; c < row.size(); ++c) row[c] = view.change.values()[c] + sigma * row[c];
    }
    return {std::move(crafted).finish()};
  }

 private:
  double noise(const View<Own>& view) const {
    if (sigma_ > 0.0) return sigma_;
    const double square = squared_norm(view.comm, view.honest.plan(), view.change);
    return std::sqrt(square / static_cast<double>(view.honest.dimension()));
  }

  scenario::FreeRider::Kind kind_;
  float radius_;
  double sigma_;
};

const Register<UpdateAttack, FreeRider, scenario::FreeRider> register_free_rider;

}  // namespace
}  // namespace souk
