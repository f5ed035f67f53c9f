#include <optional>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Cao, Gong, "MPAF: Model Poisoning Attacks to Federated Learning based on Fake Clients", CVPR Workshops 2022,
/// equation 2. The base model w' is the same for all members and in all rounds.
class Mpaf final : public CraftWith<Own> {
 public:
  explicit Mpaf(const scenario::Mpaf& config) : lambda_(config.lambda()), sigma_(config.sigma()) {}

  Crafted craft(const View<Own>& view) override {
    if (!base_) draw_base(view);
    ColumnMatrixBuilder crafted(view.comm, 1, view.honest.dimension());
    const std::span<float> row = crafted.row(0);
    for (std::size_t c = 0; c < row.size(); ++c) {
      const double way =
          sigma_ * static_cast<double>(base_->values()[c]) - static_cast<double>(view.global.values()[c]);
      row[c] = static_cast<float>(lambda_ * way);
    }
    return {std::move(crafted).finish()};
  }

 private:
  void draw_base(const View<Own>& view) {
    PublicRound at_start = view;
    at_start.round = {0};
    base_.emplace(view.honest);
    fill_normal(at_start, nobody, 0, view.honest, base_->values());
  }

  double lambda_, sigma_;
  std::optional<ColumnVector> base_;  ///< standard normal; a function of the seed, so no state to save
};

const Register<UpdateAttack, Mpaf, scenario::Mpaf> register_mpaf;

}  // namespace
}  // namespace souk
