#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "sim/base/ids.hpp"

namespace souk {

/// What a draw is for. Values are part of the results: add, never renumber.
enum class Purpose : std::uint16_t {
  partition = 0x100,
  root_data = 0x110,
  holdout = 0x120,
  validation = 0x130,
  evaluation = 0x140,
  weight_init = 0x200,
  batch_order = 0x300,
  augmentation = 0x310,
  dropout = 0x400,
  neighbours = 0x410,
  selection = 0x500,
  availability = 0x510,
  device_speed = 0x520,
  encoding = 0x540,
  secure_sum = 0x550,
  dataset = 0x580,
  data_attack = 0x600,
  update_attack = 0x700,
  membership = 0x710,
  sybil = 0x800,
  inference_attack = 0x900,
  evolution = 0x910,
  unlearning = 0xA00,
  aggregation = 0xB00,
  seller_cost = 0xC00,
  participation = 0xC10,
  buyer_choice = 0xC20,
  payment_noise = 0xC30,
  valuation = 0xC40,
  misconduct = 0xC50,
  audit = 0xC60,
  bootstrap = 0x8000,  ///< of analyses, never of runs
};

/// Philox4x32-10 block function (Salmon et al., SC'11), checked against its published vectors.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// The name of a stream within a run; sim/base/streams.hpp has all of them. Two streams of one purpose must differ in
/// something else.
struct StreamKey {
  Purpose purpose;
  AgentId agent = nobody;
  RoundIndex round{};
  std::uint16_t lane = 0;
};

/// A stream of random numbers named by a seed and a key. Equal names give equal numbers, on any rank, at any time;
/// nothing else is shared. Philox' key = seed; counter = {block, purpose:lane, agent, round}; 2^34 draws of 32 bits per
/// stream. Satisfies no standard engine concept on purpose: the standard distributions give different
/// numbers in different libraries.
class Stream {
 public:
  Stream(std::uint64_t seed, const StreamKey& key);

  std::uint32_t next() {
    if (unused_ == 0) refill();
    return block_[4 - static_cast<unsigned>(unused_--)];
  }
  /// Names streams of its own: 64 bits, the first word drawn the upper half.
  std::uint64_t next_seed() {
    const std::uint64_t high = next();
    return high << 32 | next();
  }
  /// In [0, 1), 24 bits, for hot loops over float data.
  float uniform_float() { return static_cast<float>(next() >> 8) * 0x1p-24f; }
  double uniform();                          ///< in [0, 1), 53 bits
  double normal();                           ///< mean 0, variance 1 (Box-Muller; the second value is kept)
  double log_gamma(double shape);            ///< logarithm of a gamma draw of scale 1, shape > 0; never underflows
  std::uint32_t below(std::uint32_t bound);  ///< unbiased, in [0, bound); bound >= 1
  /// One draw from the Dirichlet distribution; sums to 1. alphas[i] = 0 is a value that never occurs; at least one
  /// must be positive. Computed from logarithms: alphas down to 1e-6 (and far below) tend to their limit, a one-hot
  /// draw.
  void dirichlet(std::span<const double> alphas, std::span<double> out);
  void shuffle(std::span<std::uint32_t> values);  ///< Fisher-Yates

 private:
  void refill();

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int unused_ = 0;
  bool has_spare_ = false;
  double spare_ = 0.0;
};

}  // namespace souk
