#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Blanchard et al., NIPS 2017, section 6: independent normal noise instead of an update. Fitted: Fang et al., USENIX
/// Security 2020, section 4.1.
class GaussianNoise final : public CraftWith<Pool> {
 public:
  explicit GaussianNoise(const scenario::GaussianNoise& config)
      : sigma_(static_cast<float>(config.sigma())), fitted_(config.fitted()) {}

  Knowledge usual() const override { return fitted_ ? Knowledge::all : Knowledge::own; }
  std::size_t least_known(Knowledge) const override { return fitted_ ? 2 : 1; }

  Crafted craft(const View<Pool>& view) override {
    ColumnMatrixBuilder crafted(view.comm, view.own.rows(), view.own.dimension());
    const Spread spread = fitted_ ? spread_of(view.known) : Spread{};
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      const auto row = crafted.row(i);
      fill_normal(view, view.members[i], 0, view.own, row);
      for (std::size_t c = 0; c < row.size(); ++c) {
        row[c] *= sigma_;
        if (fitted_) row[c] = spread.mean.values()[c] + row[c] * spread.deviation.values()[c];
      }
    }
    return {std::move(crafted).finish()};
  }

 private:
  float sigma_;
  bool fitted_;
};

const Register<UpdateAttack, GaussianNoise, scenario::GaussianNoise> register_gaussian_noise;

}  // namespace
}  // namespace souk
