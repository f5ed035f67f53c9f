#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Tolpegin et al., "Data Poisoning Attacks Against Federated Learning Systems", ESORICS 2020 (source to target);
/// without a source, y becomes classes - 1 - y.
class LabelFlip final : public DataAttack {
 public:
  explicit LabelFlip(const scenario::LabelFlip& config) : source_(config.source()), target_(config.target()) {}

  void check(int classes) const override {
    SOUK_REQUIRE(source_ >= 0 || target_ == 0, "label_flip.target = {}: only with a source", target_);
    SOUK_REQUIRE(source_ < classes, "label_flip.source = {}: the data set has {} classes", source_, classes);
    SOUK_REQUIRE(target_ < classes, "label_flip.target = {}: the data set has {} classes", target_, classes);
  }

  void poison(const PoisonBatch& batch, Stream&) const override {
    for (std::int32_t& label : batch.labels) {
      if (source_ < 0) {
        label = batch.classes - 1 - label;
      } else if (label == source_) {
        label = target_;
      }
    }
  }

 private:
  std::int32_t source_, target_;
};

const Register<DataAttack, LabelFlip, scenario::LabelFlip> registered;

}  // namespace
}  // namespace souk
