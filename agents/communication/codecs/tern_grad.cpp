#include <algorithm>
#include <cmath>
#include <vector>

#include "agents/communication/codec.hpp"
#include "agents/communication/lane_sum.hpp"
#include "scenarios/communication.pb.h"
#include "sim/base/multiversion.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/bit_packing.hpp"
#include "sim/params/random_words.hpp"

namespace souk {
namespace {

constexpr unsigned bits = 2;
constexpr std::size_t piece = 4096;  ///< values at a time, for the random words' sake; a multiple of 4

/// Standard deviation around the mean, of the population.
SOUK_MULTIVERSION double deviation_of(std::span<const float> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = lane_sum(values, [](double value) { return value; }) / count;
  return std::sqrt(lane_sum(values, [mean](double value) { return (value - mean) * (value - mean); }) / count);
}

/// Magnitudes are ordered as their bits are.
SOUK_MULTIVERSION float greatest_magnitude(std::span<const float> values) {
  std::uint32_t greatest = 0;
  for (const float value : values) greatest = std::max(greatest, std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU);
  return std::bit_cast<float>(greatest);
}

/// 1 + sgn(x) [u < |x| / scale], u uniform in [0, 1); where |x| is above the scale, the bracket is 1.
SOUK_MULTIVERSION void round_to_three(std::span<const float> values, float scale, std::span<const std::uint32_t> words,
                                      std::span<std::uint16_t> numbers) {
  const float* x = values.data();
  const std::uint32_t* w = words.data();
  std::uint16_t* out = numbers.data();
  const std::size_t n = values.size();
  for (std::size_t j = 0; j < n; ++j) {
    const float uniform = static_cast<float>(static_cast<std::int32_t>(w[j] >> 8)) * 0x1p-24F;
    const int sign = x[j] < 0.0F ? -1 : 1;
    out[j] = static_cast<std::uint16_t>(1 + (uniform * scale < std::abs(x[j]) ? sign : 0));
  }
}

/// Wen et al., "TernGrad", NeurIPS 2017, equations 1 to 3, with its clipping; one scale for the whole update. The
/// message: the scale, two bits a value.
class TernGrad final : public Codec {
 public:
  explicit TernGrad(const scenario::TernGrad& config) : cut_(config.cut()) {}

  /// Of the values cut.
  bool is_unbiased() const override { return cut_ == 0.0; }

  std::size_t bytes(const ParameterLayout& layout) const override {
    return sizeof(float) + packed_bytes(layout.trainable(), bits);
  }

  void encode(const Encoding& update, std::span<std::byte> message) const override {
    float scale = greatest_magnitude(update.values);
    if (cut_ > 0.0) scale = std::min(scale, static_cast<float>(cut_ * deviation_of(update.values)));
    MessageWriter writer(message);
    writer.put(scale);
    std::vector<std::uint16_t> numbers(piece);
    std::vector<std::uint32_t> words(piece);
    for (std::size_t first = 0; first < update.values.size(); first += piece) {
      const std::span<const float> values = update.values.subspan(first, std::min(piece, update.values.size() - first));
      const std::span<std::uint16_t> of_piece = std::span(numbers).first(values.size());
      random_words(update.draws.seed, update.draws.own, first, std::span(words).first(values.size()));
      round_to_three(values, scale, words, of_piece);
      pack_bits(of_piece, bits, writer.room(packed_bytes(values.size(), bits)));
    }
  }

  void decode(std::span<const std::byte> message, const ParameterLayout& layout,
              std::span<float> values) const override {
    require_length(message, bytes(layout));
    MessageReader reader(message);
    const auto scale = reader.take<float>();
    SOUK_REQUIRE(std::isfinite(scale) && scale >= 0.0F, "the scale {} of an encoded update is not one", scale);
    std::vector<std::uint16_t> numbers(values.size());
    unpack_bits(reader.bytes(packed_bytes(values.size(), bits)), bits, numbers);
    for (std::size_t j = 0; j < values.size(); ++j) {
      SOUK_REQUIRE(numbers[j] <= 2, "value {} of an encoded update is none of three", j);
      values[j] = scale * static_cast<float>(static_cast<int>(numbers[j]) - 1);
    }
  }

 private:
  double cut_;
};

const Register<Codec, TernGrad, scenario::TernGrad> register_tern_grad;

}  // namespace
}  // namespace souk
