#include <algorithm>
#include <cmath>
#include <numeric>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Zhang et al., "Neurotoxin", ICML 2022, Algorithm 1: the gradient is projected on the coordinates that honest clients
/// use least. The last change of the global model, which everybody knows, stands for theirs.
class Neurotoxin final : public CraftWith<Pool, Laboratory> {
 public:
  explicit Neurotoxin(const scenario::Neurotoxin& config) : config_(config) {}

  bool needs_poison() const override { return true; }

  Crafted craft(const View<Pool, Laboratory>& view) override {
    const std::vector<std::size_t> frozen = busiest(view);
    const ColumnMatrix trained = view.lab.train(
        view.members, {.after_step = [&frozen](std::size_t, const LabStep& at, std::span<float> parameters) {
          for (const std::size_t v : frozen) parameters[v] = at.global[v];
        }});
    return {scale_rows(view.comm, trained, std::vector<double>(trained.rows(), config_.scale())),
            {{"frozen", static_cast<double>(frozen.size())}}};
  }

 private:
  /// The share of the coordinates that the last change moved most; none before there is one. Ties: smaller index.
  std::vector<std::size_t> busiest(const View<Pool, Laboratory>& view) const {
    std::vector<float> change(view.own.dimension());
    replicate(view.comm, view.own.plan(), view.change, change);
    if (std::ranges::all_of(change, [](float value) { return value == 0.0F; })) return {};
    std::vector<std::size_t> order(change.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto count = static_cast<std::ptrdiff_t>(config_.top() * static_cast<double>(change.size()));
    std::ranges::nth_element(order, order.begin() + count, [&](std::size_t a, std::size_t b) {
      const float left = std::abs(change[a]), right = std::abs(change[b]);
      return left != right ? left > right : a < b;
    });
    order.resize(static_cast<std::size_t>(count));
    return order;
  }

  scenario::Neurotoxin config_;
};

const Register<UpdateAttack, Neurotoxin, scenario::Neurotoxin> register_neurotoxin;

}  // namespace
}  // namespace souk
