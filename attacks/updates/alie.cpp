#include "attacks/alie_z.hpp"
#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Baruch, Baruch, Goldberg, "A Little Is Enough: Circumventing Defenses For Distributed Learning", NeurIPS 2019,
/// Algorithm 3.
class ALittleIsEnough final : public CraftWith<Pool> {
 public:
  explicit ALittleIsEnough(const scenario::ALittleIsEnough& config) : z_(config.z()) {}

  Knowledge usual() const override { return Knowledge::all; }
  std::size_t least_known(Knowledge) const override { return 2; }

  Crafted craft(const View<Pool>& view) override {
    const double z = z_ == 0.0 ? alie_z(view.updates, view.malicious) : z_;
    auto [crafted, deviation] = spread_of(view.known);
    for (std::size_t c = 0; c < crafted.values().size(); ++c) {
      crafted.values()[c] -= static_cast<float>(z) * deviation.values()[c];
    }
    return {copies_of(view.comm, view.known.dimension(), crafted, view.members.size()), {{"z", z}}};
  }

 private:
  double z_;
};

const Register<UpdateAttack, ALittleIsEnough, scenario::ALittleIsEnough> register_alittle_is_enough;

}  // namespace
}  // namespace souk
