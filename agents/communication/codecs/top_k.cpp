#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "agents/communication/codec.hpp"
#include "scenarios/communication.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/bit_packing.hpp"

namespace souk {
namespace {

/// Bits of a magnitude: as whole numbers they are ordered as the magnitudes are.
std::uint32_t magnitude_bits(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU; }

/// What is kept: all magnitudes above a threshold, and the first so many that are equal to it.
struct Threshold {
  std::uint32_t bits = 0;
  std::size_t equal = 0;
};

/// Of the k greatest magnitudes, by counting in two passes: the upper 16 bits, and within those of the k-th the lower.
Threshold threshold_of(std::span<const float> values, std::size_t k) {
  std::vector<std::uint32_t> upper(std::size_t{1} << 15), lower(std::size_t{1} << 16);
  for (const float value : values) ++upper[magnitude_bits(value) >> 16];
  const auto find = [&](const std::vector<std::uint32_t>& counts) {  // takes off k what lies above
    std::size_t bin = counts.size() - 1;
    for (; counts[bin] < k; --bin) k -= counts[bin];
    return static_cast<std::uint32_t>(bin);
  };
  const std::uint32_t top = find(upper);
  for (const float value : values) {
    const std::uint32_t bits = magnitude_bits(value);
    if (bits >> 16 == top) ++lower[bits & 0xFFFFU];
  }
  const std::uint32_t bottom = find(lower);
  return {top << 16 | bottom, k};
}

/// Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, definition 2.1 (top_k). The message: k, how
/// the places are written, the places (ascending numbers of 4 bytes, or a bit for every value), the k values.
class TopK final : public Codec {
 public:
  explicit TopK(const scenario::TopK& config) : share_(config.share()) {}

  bool wants_feedback() const override { return true; }

  std::size_t bytes(const ParameterLayout& layout) const override {
    const std::size_t d = layout.trainable(), k = values_kept(share_, d);
    return 2 * sizeof(std::uint32_t) + std::min(k * sizeof(std::uint32_t), packed_bytes(d, 1)) + k * sizeof(float);
  }

  void encode(const Encoding& update, std::span<std::byte> message) const override {
    const std::size_t d = update.values.size(), k = values_kept(share_, d);
    std::vector<std::uint32_t> places;
    places.reserve(k);
    std::vector<float> kept;
    kept.reserve(k);
    Threshold threshold = threshold_of(update.values, k);
    for (std::size_t j = 0; j < d; ++j) {
      const std::uint32_t bits = magnitude_bits(update.values[j]);
      if (bits < threshold.bits || (bits == threshold.bits && threshold.equal == 0)) continue;
      if (bits == threshold.bits) --threshold.equal;
      places.push_back(static_cast<std::uint32_t>(j));
      kept.push_back(update.values[j]);
    }
    MessageWriter writer(message);
    writer.put(static_cast<std::uint32_t>(k));
    writer.put(static_cast<std::uint32_t>(by_number(k, d)));
    if (by_number(k, d)) {
      writer.put_all(std::span<const std::uint32_t>(places));
    } else {
      const std::span<std::byte> bitmap = writer.room(packed_bytes(d, 1));
      std::ranges::fill(bitmap, std::byte{0});
      for (const std::uint32_t place : places) bitmap[place / 8] |= std::byte{1} << (place % 8);
    }
    writer.put_all(std::span<const float>(kept));
  }

  void decode(std::span<const std::byte> message, const ParameterLayout& layout,
              std::span<float> values) const override {
    require_length(message, bytes(layout));
    const std::size_t d = values.size(), k = values_kept(share_, d);
    MessageReader reader(message);
    const auto count = reader.take<std::uint32_t>();
    const auto form = reader.take<std::uint32_t>();
    SOUK_REQUIRE(count == k && form == static_cast<std::uint32_t>(by_number(k, d)),
                 "an encoded update announces {} values in form {}, and keeps {} of {}", count, form, k, d);
    const std::vector<std::uint32_t> places = by_number(k, d) ? listed(reader, k, d) : marked(reader, k, d);
    std::vector<float> kept(k);
    reader.take_all(std::span(kept));
    std::ranges::fill(values, 0.0F);
    for (std::size_t i = 0; i < k; ++i) {
      SOUK_REQUIRE(std::isfinite(kept[i]), "value {} of an encoded update is not finite", i);
      values[places[i]] = kept[i];
    }
  }

 private:
  static bool by_number(std::size_t k, std::size_t d) { return k * sizeof(std::uint32_t) <= packed_bytes(d, 1); }

  static std::vector<std::uint32_t> listed(MessageReader& reader, std::size_t k, std::size_t d) {
    std::vector<std::uint32_t> places(k);
    reader.take_all(std::span(places));
    for (std::size_t i = 0; i < k; ++i) {
      SOUK_REQUIRE(places[i] < d && (i == 0 || places[i - 1] < places[i]),
                   "place {} of an encoded update is {}: places ascend below {}", i, places[i], d);
    }
    return places;
  }

  static std::vector<std::uint32_t> marked(MessageReader& reader, std::size_t k, std::size_t d) {
    const std::span<const std::byte> bitmap = reader.bytes(packed_bytes(d, 1));
    std::vector<std::uint32_t> places;
    places.reserve(k);
    for (std::size_t j = 0; j < bitmap.size() * 8 && places.size() <= k; ++j) {
      if ((bitmap[j / 8] >> (j % 8) & std::byte{1}) != std::byte{0}) places.push_back(static_cast<std::uint32_t>(j));
    }
    SOUK_REQUIRE(places.size() == k && places.back() < d, "an encoded update marks other than {} of its {} values", k,
                 d);
    return places;
  }

  double share_;
};

const Register<Codec, TopK, scenario::TopK> register_top_k;

}  // namespace
}  // namespace souk
