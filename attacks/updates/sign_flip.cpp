#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Every member submits -scale times its own honest update.
class SignFlip final : public CraftWith<Own> {
 public:
  explicit SignFlip(const scenario::SignFlip& config) : factor_(static_cast<float>(-config.scale())) {}

  Crafted craft(const View<Own>& view) override {
    const float factor = factor_;
    return {map_values(view.comm, view.honest, [factor](float value) { return factor * value; })};
  }

 private:
  float factor_;
};

const Register<UpdateAttack, SignFlip, scenario::SignFlip> register_sign_flip;

}  // namespace
}  // namespace souk
