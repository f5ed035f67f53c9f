#include "attacks/fang_trim_values.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Fang, Cao, Jia, Gong, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", USENIX Security 2020,
/// section 3.3.
class FangTrim final : public CraftWith<Pool> {
 public:
  explicit FangTrim(const scenario::FangTrim& config) : b_(config.b()), partial_(config.partial()) {}

  Knowledge usual() const override { return partial_ ? Knowledge::colluders : Knowledge::all; }
  std::size_t least_members() const override { return partial_ ? 2 : 1; }

  Crafted craft(const View<Pool>& view) override {
    const Intervals intervals = partial_ ? beyond_deviations(view.own) : beyond_extremes(view.known, b_);
    return {draw_between(view, view.members, view.known, intervals)};
  }

 private:
  double b_;
  bool partial_;
};

const Register<UpdateAttack, FangTrim, scenario::FangTrim> register_fang_trim;

}  // namespace
}  // namespace souk
