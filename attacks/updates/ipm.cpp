#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Xie, Koyejo, Gupta, "Fall of Empires: Breaking Byzantine-tolerant SGD by Inner Product Manipulation", UAI 2019,
/// section 4.
class InnerProductManipulation final : public CraftWith<Pool> {
 public:
  explicit InnerProductManipulation(const scenario::InnerProductManipulation& config) : epsilon_(config.epsilon()) {}

  Knowledge usual() const override { return Knowledge::all; }

  Crafted craft(const View<Pool>& view) override {
    const std::vector<double> weights(view.known.rows(), -epsilon_ / static_cast<double>(view.known.rows()));
    const ColumnVector crafted = combine(view.known, weights);
    return {copies_of(view.comm, view.known.dimension(), crafted, view.members.size())};
  }

 private:
  double epsilon_;
};

const Register<UpdateAttack, InnerProductManipulation, scenario::InnerProductManipulation>
    register_inner_product_manipulation;

}  // namespace
}  // namespace souk
