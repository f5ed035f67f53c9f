#include "agents/privacy/noise_correlation.hpp"

#include <algorithm>
#include <bit>
#include <deque>

#include <fmt/format.h>

#include "scenarios/privacy.pb.h"
#include "sim/base/archive.hpp"
#include "sim/privacy/noise_over_rounds.hpp"

namespace souk {
namespace {

void add(double factor, std::span<const float> values, std::span<float> sum) {
  for (std::size_t v = 0; v < sum.size(); ++v) {
    sum[v] = static_cast<float>(static_cast<double>(sum[v]) + factor * static_cast<double>(values[v]));
  }
}

using KeptNoise = std::vector<float>;

/// Vectors of a rank's columns, their number first, in their order.
template <class Vectors>
void serialize_vectors(Archive& archive, const Comm& comm, std::size_t dimension, Vectors& vectors) {
  std::int64_t count = static_cast<std::int64_t>(vectors.size());
  archive.field("vectors", count);
  vectors.resize(static_cast<std::size_t>(count));
  const PanelPlan plan(dimension);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    ColumnVector columns(comm, plan);
    if (!vectors[i].empty()) std::ranges::copy(vectors[i], columns.values().begin());
    serialize_columns(archive, fmt::format("noise {}", i), comm, dimension, columns);
    vectors[i].assign(columns.values().begin(), columns.values().end());
  }
}

/// Kairouz et al., "Practical and Private (Deep) Learning without Sampling or Shuffling", ICML 2021, and Honaker,
/// "Efficient Use of Differentially Private Binary Trees", 2015, for its estimate from below. The sum of the first t
/// steps has the noise of one block for every bit of t that is set. In round t that of t's lowest bit is over, and
/// takes the place of those of all lower bits.
class Tree final : public NoiseCorrelation {
 public:
  explicit Tree(const scenario::TreeNoise& config) : honaker_(config.honaker()) {}

  void add_next(const FreshNoise& fresh, std::span<float> step) override {
    ++round_;
    const auto level = static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(round_)));
    if (blocks_.size() <= level) blocks_.resize(level + 1);
    KeptNoise block(step.size(), 0.0F);
    for (std::size_t l = honaker_ ? 0 : level; l <= level; ++l) {
      if (honaker_ && l > 0) put_together(blocks_[l - 1], block);
      fresh(honaker_ ? l : 0, block);
    }
    add(weight(level), block, step);
    for (std::size_t l = 0; l < level; ++l) add(-weight(l), blocks_[l], step);
    blocks_[level] = std::move(block);
  }

  std::vector<double> sensitivities(std::uint64_t rounds, std::uint64_t separation) const override {
    return tree_sensitivities(rounds, separation, honaker_ ? TreeBlocks::all : TreeBlocks::of_sums);
  }

  std::uint64_t kept(std::uint64_t rounds) const override { return static_cast<std::uint64_t>(std::bit_width(rounds)); }

  void serialize(Archive& archive, const Comm& comm, std::size_t dimension) override {
    archive.field("round", round_);
    serialize_vectors(archive, comm, dimension, blocks_);
  }

 private:
  /// Of two blocks, the second one in place: what is gathered from below for the one that they make.
  static void put_together(const KeptNoise& first, KeptNoise& second) {
    for (std::size_t v = 0; v < second.size(); ++v) second[v] = 0.5F * (first[v] + second[v]);
  }
  /// Of what a block has gathered from below, which is its sum 2 - 2^-level times.
  double weight(std::size_t level) const {
    return honaker_ ? 1.0 / (2.0 - 1.0 / static_cast<double>(std::uint64_t{1} << level)) : 1.0;
  }

  bool honaker_;
  std::int64_t round_ = 0;
  std::vector<KeptNoise> blocks_;  ///< [levels] noise of the last block of 2^level rounds, as it was gathered
};

/// y_t = z_t - sum over k > 0 of c_k y_(t-k), which is C^-1 z.
class Toeplitz final : public NoiseCorrelation {
 public:
  Toeplitz(const scenario::ToeplitzNoise& config, std::uint64_t rounds)
      : coefficients_(square_root_coefficients(rounds, config.band())),
        band_(config.band() == 0 ? rounds : std::min<std::uint64_t>(config.band(), rounds)) {}

  void add_next(const FreshNoise& fresh, std::span<float> step) override {
    KeptNoise noise(step.size(), 0.0F);
    fresh(0, noise);
    for (std::size_t k = 1; k <= last_.size(); ++k) add(-coefficients_[k], last_[k - 1], noise);
    add(1.0, noise, step);
    last_.push_front(std::move(noise));
    if (last_.size() >= band_) last_.pop_back();
  }

  std::vector<double> sensitivities(std::uint64_t, std::uint64_t separation) const override {
    return toeplitz_sensitivities(coefficients_, separation);
  }

  std::uint64_t kept(std::uint64_t) const override { return band_ - 1; }

  void serialize(Archive& archive, const Comm& comm, std::size_t dimension) override {
    serialize_vectors(archive, comm, dimension, last_);
  }

 private:
  std::vector<double> coefficients_;
  std::uint64_t band_;
  std::deque<KeptNoise> last_;  ///< noise of the last steps, the latest first
};

}  // namespace

std::unique_ptr<NoiseCorrelation> make_noise_correlation(const scenario::Privacy& config, std::uint64_t rounds) {
  if (config.has_tree()) return std::make_unique<Tree>(config.tree());
  if (config.has_toeplitz()) return std::make_unique<Toeplitz>(config.toeplitz(), rounds);
  return nullptr;
}

}  // namespace souk
