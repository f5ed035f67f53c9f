#include <limits>

#include "attacks/first_values.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class InfUpdate final : public CraftWith<Own> {
 public:
  explicit InfUpdate(const scenario::InfUpdate& config) : coordinates_(config.coordinates()) {}

  Crafted craft(const View<Own>& view) override {
    return {with_first_values(view.comm, view.honest, coordinates_, std::numeric_limits<float>::infinity())};
  }

 private:
  std::size_t coordinates_;
};

const Register<UpdateAttack, InfUpdate, scenario::InfUpdate> register_inf_update;

}  // namespace
}  // namespace souk
