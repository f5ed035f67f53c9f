#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class ZeroUpdate final : public CraftWith<Own> {
 public:
  explicit ZeroUpdate(const scenario::ZeroUpdate&) {}

  Crafted craft(const View<Own>& view) override {
    return {map_values(view.comm, view.honest, [](float) { return 0.0F; })};
  }
};

const Register<UpdateAttack, ZeroUpdate, scenario::ZeroUpdate> register_zero_update;

}  // namespace
}  // namespace souk
