#include <algorithm>

#include "attacks/buyer_attack.hpp"
#include "attacks/buyer_tools.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Root data without some classes, and a baseline that is too long.
class ClassExclusion final : public BuyerAttack {
 public:
  explicit ClassExclusion(const scenario::ClassExclusion& config)
      : exclude_(config.exclude().begin(), config.exclude().end()),
        include_(config.include().begin(), config.include().end()),
        scale_(config.scale()) {
    SOUK_REQUIRE(exclude_.empty() || include_.empty(),
                 "market.misconduct.class_exclusion: exclude and include are both given; one says all there is to say");
  }
  bool by_class() const override { return true; }
  std::vector<bool> shown_classes(RoundIndex, int classes, std::uint64_t) const override {
    if (!include_.empty()) return marked_classes("class_exclusion.include", include_, classes);
    if (exclude_.empty()) return first_half_of_classes(classes);
    std::vector<bool> shown = marked_classes("class_exclusion.exclude", exclude_, classes);
    shown.flip();
    SOUK_REQUIRE(std::ranges::count(shown, true) > 0,
                 "market.misconduct.class_exclusion.exclude: leaves none of the {} classes", classes);
    return shown;
  }
  ColumnVector baseline(const BaselineView& view) const override {
    ColumnVector scaled = view.honest;
    for (float& value : scaled.values()) value = static_cast<float>(scale_ * static_cast<double>(value));
    return scaled;
  }

 private:
  std::vector<std::uint32_t> exclude_, include_;
  double scale_;
};

const Register<BuyerAttack, ClassExclusion, scenario::ClassExclusion> register_class_exclusion;

}  // namespace
}  // namespace souk
