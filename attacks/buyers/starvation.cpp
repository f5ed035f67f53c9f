#include "attacks/buyer_attack.hpp"
#include "attacks/buyer_tools.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Root data of some classes only.
class BuyerStarvation final : public BuyerAttack {
 public:
  explicit BuyerStarvation(const scenario::BuyerStarvation& config)
      : classes_(config.classes().begin(), config.classes().end()) {}
  bool by_class() const override { return true; }
  std::vector<bool> shown_classes(RoundIndex, int classes, std::uint64_t) const override {
    if (classes_.empty()) return first_half_of_classes(classes);
    return marked_classes("starvation.classes", classes_, classes);
  }

 private:
  std::vector<std::uint32_t> classes_;
};

const Register<BuyerAttack, BuyerStarvation, scenario::BuyerStarvation> register_buyer_starvation;

}  // namespace
}  // namespace souk
