#include "attacks/rule_search.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Xie, Koyejo, Gupta, "Fall of Empires: Breaking Byzantine-tolerant SGD by Inner Product Manipulation", UAI 2019, with
/// epsilon searched for on the rule itself.
class IpmOptimized final : public CraftWith<Pool, Everyone, RuleAccess> {
 public:
  explicit IpmOptimized(const scenario::IpmOptimized& config)
      : limit_(config.limit()), evaluations_(config.evaluations()) {}

  Crafted craft(const RuleView& view) override {
    const auto submit = [&](double epsilon) {
      const std::vector<double> weights(view.known.rows(), -epsilon / static_cast<double>(view.known.rows()));
      return combine(view.known, weights);
    };
    const Harm found = most_harmful(view, limit_, false, evaluations_, submit);
    return {copies_of(view.comm, view.known.dimension(), submit(found.value), view.members.size()),
            {{"epsilon", found.value}, {"distance", found.distance}}};
  }

 private:
  double limit_;
  std::size_t evaluations_;
};

const Register<UpdateAttack, IpmOptimized, scenario::IpmOptimized> register_ipm_optimized;

}  // namespace
}  // namespace souk
