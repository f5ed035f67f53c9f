#include "attacks/buyer_attack.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// A baseline of zeros.
class BuyerDos final : public BuyerAttack {
 public:
  explicit BuyerDos(const scenario::BuyerDos&) {}
  ColumnVector baseline(const BaselineView& view) const override { return ColumnVector(view.updates); }
};

const Register<BuyerAttack, BuyerDos, scenario::BuyerDos> register_buyer_dos;

}  // namespace
}  // namespace souk
