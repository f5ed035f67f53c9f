#include <algorithm>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class WrongLength final : public CraftWith<Own> {
 public:
  explicit WrongLength(const scenario::WrongLength& config) : difference_(config.difference()) {}

  void check() const override {
    SOUK_REQUIRE(difference_ != 0, "wrong_length.difference = 0: that is the right length");
  }

  Crafted craft(const View<Own>& view) override {
    const auto length = static_cast<std::int64_t>(view.honest.dimension()) + difference_;
    return {.rows = map_values(view.comm, view.honest, [](float value) { return value; }),
            .diagnostics = {},
            .lengths = {static_cast<std::uint64_t>(std::max<std::int64_t>(length, 0))}};
  }

 private:
  std::int64_t difference_;
};

const Register<UpdateAttack, WrongLength, scenario::WrongLength> register_wrong_length;

}  // namespace
}  // namespace souk
