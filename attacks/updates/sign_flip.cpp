#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Every member submits -scale times its own honest update.
class SignFlip final : public UpdateAttack {
 public:
  explicit SignFlip(const scenario::SignFlip& config) : factor_(static_cast<float>(-config.scale())) {}

  Knowledge knowledge() const override { return Knowledge::own; }

  ColumnMatrix craft(const CraftInput& input) override {
    ColumnMatrixBuilder crafted(input.comm, input.visible.rows(), input.visible.dimension());
    for (std::size_t i = 0; i < input.visible.rows(); ++i) {
      const auto honest = input.visible.row(i);
      const auto row = crafted.row(i);
      for (std::size_t c = 0; c < row.size(); ++c) row[c] = factor_ * honest[c];
    }
    return std::move(crafted).finish();
  }

 private:
  float factor_;
};

const Register<UpdateAttack, SignFlip, scenario::SignFlip> registered;

}  // namespace
}  // namespace souk
