#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Bhagoji et al., "Analyzing Federated Learning through an Adversarial Lens", ICML 2019, section 4.4: the adversarial
/// objective, boosted, and the stealth objective (clean loss and distance to what the others did) by turns.
class AlternatingMinimization final : public CraftWith<Pool, Laboratory> {
 public:
  explicit AlternatingMinimization(const scenario::AlternatingMinimization& config) : config_(config) {}

  bool needs_poison() const override { return true; }

  Crafted craft(const View<Pool, Laboratory>& view) override {
    ColumnMatrix update = map_values(view.comm, view.own, [](float) { return 0.0F; });
    for (std::uint32_t turn = 0; turn < config_.rounds(); ++turn) {
      const ColumnMatrix poisoned = view.lab.train(view.members, {.starts = &update, .epochs = 1});
      update = boosted(view.comm, update, poisoned);
      update = view.lab.train(view.members, stealth(view, update));
    }
    return {std::move(update)};
  }

 private:
  /// from + boost (to - from).
  ColumnMatrix boosted(const Comm& comm, const ColumnMatrix& from, const ColumnMatrix& to) const {
    const auto boost = static_cast<float>(config_.boost());
    ColumnMatrixBuilder rows(comm, from.rows(), from.dimension());
    for (std::size_t i = 0; i < from.rows(); ++i) {
      for (std::size_t c = 0; c < rows.row(i).size(); ++c) {
        rows.row(i)[c] = from.row(i)[c] + boost * (to.row(i)[c] - from.row(i)[c]);
      }
    }
    return std::move(rows).finish();
  }

  /// A clean pass with the gradient of rho |update - last change|^2 / 2.
  LabTraining stealth(const View<Pool, Laboratory>& view, const ColumnMatrix& update) const {
    const auto weight = static_cast<float>(config_.rho());
    return {.poisoned = false,
            .starts = &update,
            .epochs = 1,
            .anchors = {&view.change},
            .before_step = [weight](std::size_t, const LabStep& at, std::span<float> gradient) {
              const std::vector<float>& change = at.anchors.front();
              for (std::size_t v = 0; v < gradient.size(); ++v) {
                gradient[v] += weight * (at.parameters[v] - at.global[v] - change[v]);
              }
            }};
  }

  scenario::AlternatingMinimization config_;
};

const Register<UpdateAttack, AlternatingMinimization, scenario::AlternatingMinimization>
    register_alternating_minimization;

}  // namespace
}  // namespace souk
