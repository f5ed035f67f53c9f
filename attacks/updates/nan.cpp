#include <limits>

#include "attacks/first_values.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class NanUpdate final : public CraftWith<Own> {
 public:
  explicit NanUpdate(const scenario::NanUpdate& config) : coordinates_(config.coordinates()) {}

  Crafted craft(const View<Own>& view) override {
    return {with_first_values(view.comm, view.honest, coordinates_, std::numeric_limits<float>::quiet_NaN())};
  }

 private:
  std::size_t coordinates_;
};

const Register<UpdateAttack, NanUpdate, scenario::NanUpdate> register_nan_update;

}  // namespace
}  // namespace souk
