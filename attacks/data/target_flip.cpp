#include "attacks/data_attack.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// InvFlip and BFlip of Jagielski et al., "Manipulating Machine Learning", S&P 2018, section IV-A.
class TargetFlip final : public DataAttack {
 public:
  explicit TargetFlip(const scenario::TargetFlip& config) : to_boundary_(config.to_boundary()) {}
  bool of_classes() const override { return false; }
  void poison(const PoisonBatch& batch, Stream&) const override {
    const float low = batch.facts.least_number, high = batch.facts.largest_number;
    for (const std::size_t i : batch.chosen) {
      float& number = batch.numbers[i];
      const float mirrored = low + high - number;
      number = !to_boundary_ ? mirrored : (mirrored > number ? high : low);
    }
  }

 private:
  bool to_boundary_;
};

const Register<DataAttack, TargetFlip, scenario::TargetFlip> register_target_flip;

}  // namespace
}  // namespace souk
