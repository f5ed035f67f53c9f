#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// From `begin` on and before `end`, of channels, rows and columns.
struct Region {
  std::array<std::size_t, 3> begin{}, end{};
};

/// Mean over a region of the brightness, from 0 (least) to 1 (largest value of its channel in training).
double mean_brightness(const DataFacts& facts, const Region& region, std::span<const float> sample) {
  double sum = 0.0, values = 0.0;
  for (std::size_t channel = region.begin[0]; channel < region.end[0]; ++channel) {
    const auto low = static_cast<double>(facts.low[channel]), high = static_cast<double>(facts.high[channel]);
    for (std::size_t row = region.begin[1]; row < region.end[1]; ++row) {
      const float* line = &sample[(channel * facts.shape[1] + row) * facts.shape[2]];
      for (std::size_t column = region.begin[2]; column < region.end[2]; ++column) {
        // A constant channel is dark.
        if (high > low) sum += (static_cast<double>(line[column]) - low) / (high - low);
        values += 1.0;
      }
    }
  }
  return sum / values;
}

/// Bagdasaryan, Veit, Hua, Estrin, Shmatikov, "How To Backdoor Federated Learning", AISTATS 2020, section 5.1. Their
/// features (green cars, racing stripes) were picked by hand; here the brightness of a region tells who has one.
class SemanticBackdoor final : public DataAttack {
 public:
  explicit SemanticBackdoor(const scenario::SemanticBackdoor& config)
      : source_(config.source()),
        target_(config.target()),
        row_(config.row()),
        column_(config.column()),
        height_(config.height()),
        width_(config.width()),
        from_(config.from()),
        below_(config.below()) {}

  void check(const DataFacts& facts) const override {
    check_target("semantic", target_, facts);
    SOUK_REQUIRE(source_ < facts.classes, "semantic.source = {}: the data set has {} classes", source_, facts.classes);
    SOUK_REQUIRE(source_ != target_, "semantic.target = {}: is the source", target_);
    SOUK_REQUIRE(from_ < below_, "semantic.below = {}: no mean lies below it and from {} on", below_, from_);
    const bool rows = holds_rows(facts);
    const std::size_t height = facts.shape[1], width = rows ? facts.shape[0] : facts.shape[2];
    SOUK_REQUIRE(row_ < height && height_ <= height - row_, "semantic.{} = {}: the samples have {} rows",
                 row_ < height ? "height" : "row", row_ < height ? height_ : row_, height);
    SOUK_REQUIRE(column_ < width && width_ <= width - column_, "semantic.{} = {}: the samples have {} columns",
                 column_ < width ? "width" : "column", column_ < width ? width_ : column_, width);
  }

  std::vector<std::uint8_t> eligible(const Samples& samples) const override {
    const Region region = region_in(samples.facts);
    std::vector<std::uint8_t> flags;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      flags.push_back(meant(samples.facts, region, samples.features_of(i), samples.labels[i]) ? 1 : 0);
    }
    return flags;
  }

  void poison(const PoisonBatch& batch, Stream&) const override {
    for (const std::size_t i : batch.chosen) batch.labels[i] = target_;
  }

  bool has_goal() const override { return true; }

  void trigger(const TriggeredBatch& batch) const override {
    const Region region = region_in(batch.facts);
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      batch.goals[i] = meant(batch.facts, region, batch.features_of(i), batch.labels[i]) ? target_ : -1;
    }
  }

 private:
  /// Columns of a table are channels.
  Region region_in(const DataFacts& facts) const {
    const auto [channels, height, width] = facts.shape;
    if (holds_rows(facts)) return {{column_, 0, 0}, {width_ > 0 ? column_ + width_ : channels, 1, 1}};
    return {{0, row_, column_},
            {channels, height_ > 0 ? row_ + height_ : height, width_ > 0 ? column_ + width_ : width}};
  }

  bool meant(const DataFacts& facts, const Region& region, std::span<const float> sample, std::int32_t label) const {
    if (label == target_ || (source_ >= 0 && label != source_)) return false;
    const double mean = mean_brightness(facts, region, sample);
    return mean >= from_ && mean < below_;
  }

  std::int32_t source_, target_;
  std::size_t row_, column_, height_, width_;
  double from_, below_;
};

const Register<DataAttack, SemanticBackdoor, scenario::SemanticBackdoor> register_semantic_backdoor;

}  // namespace
}  // namespace souk
