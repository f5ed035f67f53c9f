#include "attacks/data/patch.hpp"

#include "attacks/data/backdoor.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

using PatchConfig = scenario::Patch;

std::vector<float> paint(const PatchConfig& config) {
  Stream noise(0, streams::patch_trigger());  // part of the trigger, so no matter of the run's seed
  const auto value = static_cast<float>(config.value());
  std::vector<float> brightness;
  for (std::uint32_t row = 0; row < config.height(); ++row) {
    for (std::uint32_t column = 0; column < config.width(); ++column) {
      const bool dark = config.pattern() == PatchConfig::CHECKERBOARD && (row + column) % 2 == 1;
      const float share = config.pattern() == PatchConfig::NOISE ? noise.uniform_float() : 1.0F;
      brightness.push_back(dark ? 0.0F : share * value);
    }
  }
  return brightness;
}

std::size_t halves_above(PatchConfig::Place place) {
  if (place == PatchConfig::CENTER) return 1;
  return place == PatchConfig::BOTTOM_LEFT || place == PatchConfig::BOTTOM_RIGHT ? 2 : 0;
}

std::size_t halves_left(PatchConfig::Place place) {
  if (place == PatchConfig::CENTER) return 1;
  return place == PatchConfig::TOP_RIGHT || place == PatchConfig::BOTTOM_RIGHT ? 2 : 0;
}

}  // namespace

Patch::Patch(const PatchConfig& config)
    : height_(config.height()),
      width_(config.width()),
      at_(config.place() == PatchConfig::AT),
      row_(config.row()),
      column_(config.column()),
      down_(halves_above(config.place())),
      right_(halves_left(config.place())),
      opacity_(static_cast<float>(config.opacity())),
      brightness_(paint(config)) {}

void Patch::check(const DataFacts& facts, const std::string& field) const {
  const std::size_t height = facts.shape[1], width = facts.shape[2];
  SOUK_REQUIRE(height_ <= height, "{}.height = {}: the images are {} pixels high", field, height_, height);
  SOUK_REQUIRE(width_ <= width, "{}.width = {}: the images are {} pixels wide", field, width_, width);
  SOUK_REQUIRE(at_ || row_ == 0, "{}.row = {}: only with place AT", field, row_);
  SOUK_REQUIRE(at_ || column_ == 0, "{}.column = {}: only with place AT", field, column_);
  SOUK_REQUIRE(row_ + height_ <= height, "{}.row = {}: the patch ends {} pixels below the image", field, row_,
               row_ + height_ - height);
  SOUK_REQUIRE(column_ + width_ <= width, "{}.column = {}: the patch ends {} pixels beside the image", field, column_,
               column_ + width_ - width);
}

void Patch::stamp(const DataFacts& facts, std::span<float> sample) const {
  const auto [channels, height, width] = facts.shape;
  const std::size_t top = at_ ? row_ : (height - height_) * down_ / 2;
  const std::size_t left = at_ ? column_ : (width - width_) * right_ / 2;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t row = 0; row < height_; ++row) {
      float* pixel = &sample[(channel * height + top + row) * width + left];
      const float* brightness = &brightness_[row * width_];
      for (std::size_t column = 0; column < width_; ++column) {
        pixel[column] = blend(pixel[column], painted(facts, channel, brightness[column]), opacity_);
      }
    }
  }
}

}  // namespace souk
