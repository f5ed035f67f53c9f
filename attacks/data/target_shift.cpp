#include "attacks/data_attack.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class TargetShift final : public DataAttack {
 public:
  explicit TargetShift(const scenario::TargetShift& config) : shift_(static_cast<float>(config.shift())) {}
  bool of_classes() const override { return false; }
  void check(const DataFacts&) const override {
    SOUK_REQUIRE(shift_ != 0.0F, "target_shift.shift = 0: changes nothing");
  }
  void poison(const PoisonBatch& batch, Stream&) const override {
    for (const std::size_t i : batch.chosen) batch.numbers[i] += shift_;
  }

 private:
  float shift_;
};

const Register<DataAttack, TargetShift, scenario::TargetShift> register_target_shift;

}  // namespace
}  // namespace souk
