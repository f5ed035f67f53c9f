#include <algorithm>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// The gradient of alpha loss + (1 - alpha) distance: as in the authors' code the distance is the sum over the tensors
/// of the network of the mean squared difference to the mean's.
void blend_gradients(float alpha, const LabStep& at, std::span<float> gradient) {
  const std::vector<float>& mean = at.anchors.front();
  for (const Slot& tensor : at.tensors) {
    const float pull = 2.0F * (1.0F - alpha) / static_cast<float>(tensor.size);
    for (std::size_t v = tensor.offset; v < tensor.offset + tensor.size; ++v) {
      gradient[v] = alpha * gradient[v] + pull * (at.parameters[v] - at.global[v] - mean[v]);
    }
  }
}

/// Baruch, Baruch, Goldberg, "A Little Is Enough", NeurIPS 2019, section 3.3 and Algorithm 4.
class AlieBackdoor final : public CraftWith<Pool, Laboratory> {
 public:
  explicit AlieBackdoor(const scenario::AlieBackdoor& config) : config_(config) {}

  bool needs_poison() const override { return true; }
  std::size_t least_known(Knowledge) const override { return 2; }

  Crafted craft(const View<Pool, Laboratory>& view) override {
    const Spread spread = spread_of(view.known);
    const ColumnMatrix starts = copies_of(view.comm, view.own.dimension(), spread.mean, view.members.size());
    const auto alpha = static_cast<float>(config_.alpha());
    const ColumnMatrix trained = view.lab.train(
        view.members, {.starts = &starts,
                       .epochs = config_.epochs(),
                       .anchors = {&spread.mean},
                       .before_step = [alpha](std::size_t, const LabStep& at, std::span<float> gradient) {
                         blend_gradients(alpha, at, gradient);
                       }});
    return {clipped(view.comm, trained, spread)};
  }

 private:
  ColumnMatrix clipped(const Comm& comm, const ColumnMatrix& trained, const Spread& spread) const {
    const auto z = static_cast<float>(config_.z());
    const auto mean = spread.mean.values(), deviation = spread.deviation.values();
    ColumnMatrixBuilder rows(comm, trained.rows(), trained.dimension());
    for (std::size_t i = 0; i < trained.rows(); ++i) {
      const auto in = trained.row(i);
      const auto out = rows.row(i);
      for (std::size_t c = 0; c < in.size(); ++c) {
        out[c] = std::clamp(in[c], mean[c] - z * deviation[c], mean[c] + z * deviation[c]);
      }
    }
    return std::move(rows).finish();
  }

  scenario::AlieBackdoor config_;
};

const Register<UpdateAttack, AlieBackdoor, scenario::AlieBackdoor> register_alie_backdoor;

}  // namespace
}  // namespace souk
