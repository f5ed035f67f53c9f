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

SOUK_MULTIVERSION double magnitudes(std::span<const float> values) {
  return lane_sum(values, [](double value) { return std::abs(value); });
}

/// Karimireddy, Rebjock, Stich, Jaggi, "Error Feedback Fixes SignSGD", ICML 2019, algorithm 1; sgn(0) = +1. The
/// message: the mean magnitude, a bit a value.
class ErrorFeedbackSign final : public Codec {
 public:
  explicit ErrorFeedbackSign(const scenario::ErrorFeedbackSign&) {}

  bool wants_feedback() const override { return true; }

  std::size_t bytes(const ParameterLayout& layout) const override {
    return sizeof(float) + packed_bytes(layout.trainable(), 1);
  }

  void encode(const Encoding& update, std::span<std::byte> message) const override {
    const double sum = magnitudes(update.values);
    MessageWriter writer(message);
    writer.put(static_cast<float>(sum / static_cast<double>(update.values.size())));
    pack_signs(update.values, writer.room(packed_bytes(update.values.size(), 1)));
  }

  void decode(std::span<const std::byte> message, const ParameterLayout& layout,
              std::span<float> values) const override {
    require_length(message, bytes(layout));
    MessageReader reader(message);
    const auto scale = reader.take<float>();
    SOUK_REQUIRE(std::isfinite(scale) && scale >= 0.0F, "the scale {} of an encoded update is not one", scale);
    unpack_signs(reader.bytes(packed_bytes(values.size(), 1)), scale, -scale, values);
  }
};

const Register<Codec, ErrorFeedbackSign, scenario::ErrorFeedbackSign> register_ef_sign;

}  // namespace
}  // namespace souk
