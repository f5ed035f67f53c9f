#include <cmath>

#include "agents/communication/codec.hpp"
#include "agents/communication/lane_sum.hpp"
#include "scenarios/communication.pb.h"
#include "sim/base/multiversion.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/bit_packing.hpp"
#include "sim/params/packed_signs.hpp"

namespace souk {
namespace {

struct SignSums {
  double above, below;   ///< of the values from 0 on, and below it
  std::size_t negative;  ///< how many are below
};

/// By the sums of the values and of their magnitudes: half of their sum, and of their difference.
SOUK_MULTIVERSION SignSums sums_by_sign(std::span<const float> values) {
  std::size_t negative = 0;
  for (const float value : values) negative += value < 0.0F ? 1 : 0;
  const double sum = lane_sum(values, [](double value) { return value; });
  const double magnitudes = lane_sum(values, [](double value) { return std::abs(value); });
  return {0.5 * (magnitudes + sum), 0.5 * (sum - magnitudes), negative};
}

/// Seide, Fu, Droppo, Li, Yu, "1-Bit Stochastic Gradient Descent", Interspeech 2014, section 3; one pair of means for
/// the whole update. The message: the means of the values from 0 on and below 0, a bit a value.
class OneBit final : public Codec {
 public:
  explicit OneBit(const scenario::OneBit&) {}

  bool wants_feedback() const override { return true; }

  std::size_t bytes(const ParameterLayout& layout) const override {
    return 2 * sizeof(float) + packed_bytes(layout.trainable(), 1);
  }

  void encode(const Encoding& update, std::span<std::byte> message) const override {
    const SignSums sums = sums_by_sign(update.values);
    const auto mean = [](double sum, std::size_t count) {
      return count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(count));
    };
    MessageWriter writer(message);
    writer.put(mean(sums.above, update.values.size() - sums.negative));
    writer.put(mean(sums.below, sums.negative));
    pack_signs(update.values, writer.room(packed_bytes(update.values.size(), 1)));
  }

  void decode(std::span<const std::byte> message, const ParameterLayout& layout,
              std::span<float> values) const override {
    require_length(message, bytes(layout));
    MessageReader reader(message);
    const auto positive = reader.take<float>();
    const auto negative = reader.take<float>();
    SOUK_REQUIRE(std::isfinite(positive) && positive >= 0.0F && std::isfinite(negative) && negative <= 0.0F,
                 "the means {} and {} of an encoded update are not of either sign", positive, negative);
    unpack_signs(reader.bytes(packed_bytes(values.size(), 1)), positive, negative, values);
  }
};

const Register<Codec, OneBit, scenario::OneBit> register_one_bit;

}  // namespace
}  // namespace souk
