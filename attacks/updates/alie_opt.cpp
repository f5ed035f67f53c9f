#include "attacks/rule_search.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Baruch, Baruch, Goldberg, "A Little Is Enough: Circumventing Defenses For Distributed Learning", NeurIPS 2019, with
/// z searched for on the rule itself.
class AlieOptimized final : public CraftWith<Pool, Everyone, RuleAccess> {
 public:
  explicit AlieOptimized(const scenario::AlieOptimized& config)
      : limit_(config.limit()), evaluations_(config.evaluations()) {}

  std::size_t least_known(Knowledge) const override { return 2; }

  Crafted craft(const RuleView& view) override {
    const Spread spread = spread_of(view.known);
    const auto submit = [&](double z) {
      ColumnVector submission = spread.mean;
      for (std::size_t c = 0; c < submission.values().size(); ++c) {
        submission.values()[c] -= static_cast<float>(z) * spread.deviation.values()[c];
      }
      return submission;
    };
    const Harm found = most_harmful(view, limit_, true, evaluations_, submit);
    return {copies_of(view.comm, view.known.dimension(), submit(found.value), view.members.size()),
            {{"z", found.value}, {"distance", found.distance}}};
  }

 private:
  double limit_;
  std::size_t evaluations_;
};

const Register<UpdateAttack, AlieOptimized, scenario::AlieOptimized> register_alie_optimized;

}  // namespace
}  // namespace souk
