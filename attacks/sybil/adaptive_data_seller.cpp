#include <algorithm>

#include "attacks/sybil/bandit.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// A bandit over what members train on.
class AdaptiveDataSeller final : public CraftWith<Pool, Laboratory> {
 public:
  explicit AdaptiveDataSeller(const scenario::AdaptiveDataSeller& config) : bandits_(config.bandit(), 2) {}

  bool needs_poison() const override { return true; }
  bool may_behave() const override { return true; }

  Crafted craft(const View<Pool, Laboratory>& view) override {
    std::vector<AgentId> poisoning;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      if (bandits_.choose(view, view.members[i]) == 0) continue;
      poisoning.push_back(view.members[i]);
      rows.push_back(i);
    }
    ColumnMatrixBuilder out(view.comm, view.own.rows(), view.own.dimension());
    for (std::size_t i = 0; i < view.own.rows(); ++i) std::ranges::copy(view.own.row(i), out.row(i).begin());
    if (!poisoning.empty()) {
      const ColumnMatrix poisoned = view.lab.train(poisoning, {});
      for (std::size_t k = 0; k < rows.size(); ++k) std::ranges::copy(poisoned.row(k), out.row(rows[k]).begin());
    }
    return {std::move(out).finish(), {{"poisoning", static_cast<double>(rows.size())}}};
  }

  void observe(const Published& published) override { bandits_.observe(published); }
  void serialize(Archive& archive, const Comm&) override { bandits_.serialize(archive); }

 private:
  Bandits bandits_;
};

const Register<UpdateAttack, AdaptiveDataSeller, scenario::AdaptiveDataSeller> register_adaptive_data_seller;

}  // namespace
}  // namespace souk
