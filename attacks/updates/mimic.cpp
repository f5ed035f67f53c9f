#include <algorithm>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Karimireddy, He, Jaggi, "Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing", ICLR 2022, section 4,
/// with a victim that is given.
class Mimic final : public CraftWith<Pool> {
 public:
  explicit Mimic(const scenario::Mimic& config) : victim_(config.victim()) {}

  Knowledge usual() const override { return Knowledge::all; }
  /// Below ALL the updates known are the members' own.
  std::size_t least_known(Knowledge level) const override { return level < Knowledge::all ? 2 : 1; }

  Crafted craft(const View<Pool>& view) override {
    const std::span<const float> victim = view.known.row(std::min(victim_, view.known.rows() - 1));
    ColumnMatrixBuilder crafted(view.comm, view.members.size(), view.known.dimension());
    for (std::size_t i = 0; i < view.members.size(); ++i) std::ranges::copy(victim, crafted.row(i).begin());
    return {std::move(crafted).finish()};
  }

 private:
  std::size_t victim_;
};

const Register<UpdateAttack, Mimic, scenario::Mimic> register_mimic;

}  // namespace
}  // namespace souk
