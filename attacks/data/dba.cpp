#include <array>

#include "attacks/data/backdoor.hpp"
#include "attacks/data/patch.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Bar 0 … 3: upper left, upper right, lower left, lower right.
Patch bar(const scenario::DistributedBackdoor& config, std::uint32_t part) {
  scenario::Patch patch;
  patch.set_height(config.thickness());
  patch.set_width(config.length());
  patch.set_place(scenario::Patch::AT);
  patch.set_row(part / 2 * config.row_distance());
  patch.set_column(part % 2 * (config.length() + config.gap()));
  patch.set_value(config.value());
  return Patch(patch);
}

/// Xie, Huang, Chen, Li, "DBA: Distributed Backdoor Attacks against Federated Learning", ICLR 2020. The bars lie in the
/// upper left corner, as in the authors' repository.
class DistributedBackdoor final : public Backdoor {
 public:
  explicit DistributedBackdoor(const scenario::DistributedBackdoor& config)
      : Backdoor("dba", config.target()),
        height_(std::size_t{config.row_distance()} + config.thickness()),
        width_(2 * std::size_t{config.length()} + config.gap()),
        thickness_(config.thickness()),
        length_(config.length()),
        row_distance_(config.row_distance()),
        bars_{bar(config, 0), bar(config, 1), bar(config, 2), bar(config, 3)} {}

  double usual_share() const override { return 20.0 / 64.0; }  // of a mini-batch, on MNIST

 private:
  void check_trigger(const DataFacts& facts) const override {
    check_images(field(), facts);
    SOUK_REQUIRE(row_distance_ >= thickness_, "dba.row_distance = {}: bars of a thickness of {} would overlap",
                 row_distance_, thickness_);
    SOUK_REQUIRE(height_ <= facts.shape[1], "dba.row_distance = {}: the trigger is {} pixels high, the images are {}",
                 row_distance_, height_, facts.shape[1]);
    SOUK_REQUIRE(width_ <= facts.shape[2], "dba.length = {}: the trigger is {} pixels wide, the images are {}", length_,
                 width_, facts.shape[2]);
  }
  void stamp(const Marked& samples) const override {
    const std::span all(bars_);
    const auto painted_bars = samples.member ? all.subspan(*samples.member % bars_.size(), 1) : all;
    for (const std::size_t i : samples.which) {
      for (const Patch& patch : painted_bars) patch.stamp(samples.facts, samples.features_of(i));
    }
  }
  std::size_t height_, width_, thickness_, length_, row_distance_;
  std::array<Patch, 4> bars_;
};

const Register<DataAttack, DistributedBackdoor, scenario::DistributedBackdoor> register_distributed_backdoor;

}  // namespace
}  // namespace souk
