#include <algorithm>

#include "attacks/buyer_attack.hpp"
#include "attacks/buyer_tools.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Where a walk over [0, sets) that starts at 0 is after so many changes; at either end it turns back.
std::uint64_t walked(std::uint64_t seed, std::uint64_t sets, std::uint64_t changes) {
  Stream random(seed, streams::wandering_classes());
  std::uint64_t at = 0;
  for (std::uint64_t k = 0; k < changes; ++k) {
    const bool up = random.below(2) == 1;
    if (at == 0 || (up && at + 1 < sets)) {
      ++at;
    } else {
      --at;
    }
  }
  return at;
}

/// Root data of one set of classes after another.
class Oscillating final : public BuyerAttack {
 public:
  explicit Oscillating(const scenario::Oscillating& config)
      : pattern_(config.pattern()),
        period_(config.period()),
        sets_(pattern_ == scenario::Oscillating::BINARY_FLIP ? 2 : config.sets()) {}
  bool by_class() const override { return true; }
  std::vector<bool> shown_classes(RoundIndex round, int classes, std::uint64_t seed) const override {
    SOUK_REQUIRE(sets_ <= static_cast<std::uint64_t>(classes),
                 "market.misconduct.oscillating.sets = {}: the data have {} classes only", sets_, classes);
    return part_of_classes(classes, sets_, set_of((round.value - 1) / period_, seed));
  }

 private:
  /// The set shown after so many changes.
  std::uint64_t set_of(std::uint64_t changes, std::uint64_t seed) const {
    switch (pattern_) {
      case scenario::Oscillating::RANDOM_WALK:
        return walked(seed, sets_, changes);
      case scenario::Oscillating::DRIFT:
        return std::min(changes, sets_ - 1);
      default:
        return changes % sets_;
    }
  }

  scenario::Oscillating::Pattern pattern_;
  std::uint64_t period_, sets_;
};

const Register<BuyerAttack, Oscillating, scenario::Oscillating> register_oscillating;

}  // namespace
}  // namespace souk
