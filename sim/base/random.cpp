#include "sim/base/random.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "sim/base/contract.hpp"

namespace souk {

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Stream::Stream(std::uint64_t seed, const StreamKey& key)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, (static_cast<std::uint32_t>(key.purpose) << 16) | key.lane, key.agent.value, key.round.value} {}

void Stream::refill() {
  block_ = philox4x32_10(counter_, key_);
  ++counter_[0];
  SOUK_EXPECT(counter_[0] != 0);  // 2^34 draws used up: the stream would repeat
  unused_ = 4;
}

double Stream::uniform() {
  const std::uint64_t high = next() >> 5;
  const std::uint64_t low = next() >> 6;
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

double Stream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

double Stream::log_gamma(double shape) {
  SOUK_EXPECT(shape > 0.0);
  // Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", 2000; shape < 1 by their boost.
  if (shape < 1.0) {
    const double boost = std::log(1.0 - uniform()) / shape;
    return log_gamma(shape + 1.0) + boost;
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

std::uint32_t Stream::below(std::uint32_t bound) {
  SOUK_EXPECT(bound > 0);
  // Lemire, "Fast Random Integer Generation in an Interval", 2019.
  std::uint64_t product = std::uint64_t{next()} * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    const std::uint32_t threshold = (0u - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next()} * bound;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

void Stream::dirichlet(std::span<const double> alphas, std::span<double> out) {
  SOUK_EXPECT(!out.empty() && alphas.size() == out.size());
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = alphas[i] > 0.0 ? log_gamma(alphas[i]) : -std::numeric_limits<double>::infinity();
    largest = std::max(largest, out[i]);
  }
  SOUK_EXPECT(std::isfinite(largest));
  double sum = 0.0;
  for (double& value : out) sum += value = std::exp(value - largest);
  for (double& value : out) value /= sum;
}

void Stream::shuffle(std::span<std::uint32_t> values) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[below(static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace souk
