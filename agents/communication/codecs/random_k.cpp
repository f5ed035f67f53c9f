#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "agents/communication/codec.hpp"
#include "scenarios/communication.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// k of d places, in the order of the draw: the first k of a Fisher-Yates shuffle that keeps what it has moved alone.
std::vector<std::uint32_t> draw_places(std::uint64_t seed, std::size_t k, std::size_t d) {
  Stream random(seed, streams::places());
  std::unordered_map<std::uint32_t, std::uint32_t> moved;  // asked by key alone, never walked through
  moved.reserve(2 * k);
  const auto at = [&](std::uint32_t place) {
    const auto found = moved.find(place);
    return found == moved.end() ? place : found->second;
  };
  std::vector<std::uint32_t> places(k);
  for (std::size_t i = 0; i < k; ++i) {
    const auto j = static_cast<std::uint32_t>(i) + random.below(static_cast<std::uint32_t>(d - i));
    places[i] = at(j);
    moved[j] = at(static_cast<std::uint32_t>(i));
  }
  return places;
}

/// Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, definition 2.1 (rand_k), scaled by d/k where
/// nothing is kept for later. The message: the seed of the places, the k values in the order of the draw.
class RandomK final : public Codec {
 public:
  explicit RandomK(const scenario::RandomK& config) : share_(config.share()) {}

  bool is_unbiased() const override { return true; }

  std::size_t bytes(const ParameterLayout& layout) const override {
    return sizeof(std::uint64_t) + values_kept(share_, layout.trainable()) * sizeof(float);
  }

  void encode(const Encoding& update, std::span<std::byte> message) const override {
    const std::size_t d = update.values.size(), k = values_kept(share_, d);
    const double scale = update.feedback ? 1.0 : static_cast<double>(d) / static_cast<double>(k);
    const std::uint64_t seed = Stream(update.draws.seed, update.draws.own).next_seed();
    std::vector<float> kept;
    for (const std::uint32_t place : draw_places(seed, k, d)) {
      kept.push_back(static_cast<float>(scale * static_cast<double>(update.values[place])));
    }
    MessageWriter writer(message);
    writer.put(seed);
    writer.put_all(std::span<const float>(kept));
  }

  void decode(std::span<const std::byte> message, const ParameterLayout& layout,
              std::span<float> values) const override {
    require_length(message, bytes(layout));
    MessageReader reader(message);
    const auto seed = reader.take<std::uint64_t>();
    std::ranges::fill(values, 0.0F);
    for (const std::uint32_t place : draw_places(seed, values_kept(share_, values.size()), values.size())) {
      values[place] = reader.take<float>();
      SOUK_REQUIRE(std::isfinite(values[place]), "value {} of an encoded update is not finite", place);
    }
  }

 private:
  double share_;
};

const Register<Codec, RandomK, scenario::RandomK> register_random_k;

}  // namespace
}  // namespace souk
