#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Blanchard et al., NIPS 2017, section 6: independent normal noise instead of an update.
class GaussianNoise final : public UpdateAttack {
 public:
  explicit GaussianNoise(const scenario::GaussianNoise& config) : sigma_(config.sigma()) {}

  Knowledge knowledge() const override { return Knowledge::own; }

  ColumnMatrix craft(const CraftInput& input) override {
    SOUK_EXPECT(input.members.size() == input.visible.rows());
    ColumnMatrixBuilder crafted(input.comm, input.visible.rows(), input.visible.dimension());
    for (std::size_t i = 0; i < input.members.size(); ++i) {
      for (const Panel& panel : input.visible.panels()) {
        // One stream per agent and panel: panels do not depend on the rank count, so neither does the noise.
        Stream random(input.seed, Purpose::update_attack, input.members[i], input.round,
                      static_cast<std::uint16_t>(panel.index));
        for (float& value : crafted.row(i).subspan(panel.offset, panel.columns.size())) {
          value = static_cast<float>(sigma_ * random.normal());
        }
      }
    }
    return std::move(crafted).finish();
  }

 private:
  double sigma_;
};

const Register<UpdateAttack, GaussianNoise, scenario::GaussianNoise> registered;

}  // namespace
}  // namespace souk
