#include <algorithm>
#include <cmath>
#include <vector>

#include "agents/communication/codec.hpp"
#include "scenarios/communication.pb.h"
#include "sim/base/multiversion.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/bit_packing.hpp"
#include "sim/params/random_words.hpp"
#include "sim/params/row_sums.hpp"

namespace souk {
namespace {

/// s + sgn(x) floor(s |x| / norm + u), u uniform in [0, 1): a level with its sign as a number from 0 to 2 s.
SOUK_MULTIVERSION void round_to_levels(std::span<const float> values, float per_level, float levels,
                                       std::span<const std::uint32_t> words, std::span<std::uint16_t> numbers) {
  const float* x = values.data();
  const std::uint32_t* w = words.data();
  std::uint16_t* out = numbers.data();
  const std::size_t n = values.size();
  for (std::size_t j = 0; j < n; ++j) {
    const float uniform = static_cast<float>(static_cast<std::int32_t>(w[j] >> 8)) * 0x1p-24F;
    const float level =
        std::min(levels, static_cast<float>(static_cast<std::int32_t>(std::abs(x[j]) * per_level + uniform)));
    out[j] = static_cast<std::uint16_t>(static_cast<std::int32_t>(levels + (x[j] < 0.0F ? -level : level)));
  }
}

SOUK_MULTIVERSION void levels_to_values(std::span<const std::uint16_t> numbers, double unit, std::int32_t levels,
                                        std::span<float> values) {
  const std::uint16_t* number = numbers.data();
  float* out = values.data();
  const std::size_t n = values.size();
  for (std::size_t j = 0; j < n; ++j) {
    out[j] = static_cast<float>(unit * static_cast<double>(static_cast<std::int32_t>(number[j]) - levels));
  }
}

/// Alistarh, Grubic, Li, Tomioka, Vojnovic, "QSGD", NeurIPS 2017, section 3.1; buckets of section 4. Levels are written
/// with as many bits each, not by Elias' code. The message, bucket by bucket: the norm, the levels.
class Qsgd final : public Codec {
 public:
  explicit Qsgd(const scenario::Qsgd& config)
      : levels_(config.levels()), bucket_(config.bucket()), bits_(bits_for(2 * std::uint64_t{config.levels()} + 1)) {}

  bool is_unbiased() const override { return true; }

  std::size_t bytes(const ParameterLayout& layout) const override {
    const std::size_t d = layout.trainable(), whole = d / bucket_of(d), rest = d % bucket_of(d);
    return whole * (sizeof(float) + packed_bytes(bucket_of(d), bits_)) +
           (rest > 0 ? sizeof(float) + packed_bytes(rest, bits_) : 0);
  }

  void encode(const Encoding& update, std::span<std::byte> message) const override {
    const std::size_t d = update.values.size();
    MessageWriter writer(message);
    std::vector<std::uint32_t> words;
    std::vector<std::uint16_t> numbers;
    for (std::size_t first = 0; first < d; first += bucket_of(d)) {
      const std::span<const float> values = update.values.subspan(first, std::min(bucket_of(d), d - first));
      const auto norm = static_cast<float>(std::sqrt(dot(values.data(), values.data(), values.size())));
      writer.put(norm);
      numbers.assign(values.size(), static_cast<std::uint16_t>(levels_));
      if (norm > 0.0F) {
        words.resize(values.size());
        const std::uint64_t room = (bucket_of(d) + 3) / 4 * 4;  // of a bucket's words, which begin at a whole block
        random_words(update.draws.seed, update.draws.own, first / bucket_of(d) * room, words);
        round_to_levels(values, static_cast<float>(levels_) / norm, static_cast<float>(levels_), words, numbers);
      }
      pack_bits(numbers, bits_, writer.room(packed_bytes(values.size(), bits_)));
    }
  }

  void decode(std::span<const std::byte> message, const ParameterLayout& layout,
              std::span<float> values) const override {
    require_length(message, bytes(layout));
    const std::size_t d = values.size();
    MessageReader reader(message);
    std::vector<std::uint16_t> numbers;
    for (std::size_t first = 0; first < d; first += bucket_of(d)) {
      const std::span<float> bucket = values.subspan(first, std::min(bucket_of(d), d - first));
      const auto norm = reader.take<float>();
      SOUK_REQUIRE(std::isfinite(norm) && norm >= 0.0F, "the norm {} in an encoded update is not one", norm);
      numbers.resize(bucket.size());
      unpack_bits(reader.bytes(packed_bytes(bucket.size(), bits_)), bits_, numbers);
      SOUK_REQUIRE(std::ranges::max(numbers) <= 2 * levels_, "level {} of an encoded update is above {}",
                   std::ranges::max(numbers), 2 * levels_);
      levels_to_values(numbers, static_cast<double>(norm) / static_cast<double>(levels_),
                       static_cast<std::int32_t>(levels_), bucket);
    }
  }

 private:
  std::size_t bucket_of(std::size_t d) const { return bucket_ == 0 ? std::max<std::size_t>(d, 1) : bucket_; }
  std::uint32_t levels_, bucket_;
  unsigned bits_;
};

const Register<Codec, Qsgd, scenario::Qsgd> register_qsgd;

}  // namespace
}  // namespace souk
