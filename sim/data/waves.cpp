#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/dataset_format.hpp"

namespace souk {
namespace {

// What the third number of a stream's name stands for: training rows, test rows, and the function that all rows share.

// y = (c.x + sqrt(2 / waves) sum_k sin(w_k.x + b_k)) / sqrt 2 + noise e, with c.x and w_k.x of unit and of four times
// unit variance: over two periods and more, so that no line follows a wave.
class Function {
 public:
  Function(const scenario::Waves& config, std::uint64_t seed)
      : features_(config.features()), correlation_(config.correlation()) {
    Stream random(seed, streams::wave_function());
    linear_ = direction(random, 1.0);
    for (std::uint32_t k = 0; k < config.waves(); ++k) {
      waves_.push_back(direction(random, 2.0));
      phases_.push_back(2.0 * std::numbers::pi * random.uniform());
    }
  }

  void draw_features(Stream& random, std::span<float> out) const {
    const double rest = std::sqrt(1.0 - correlation_ * correlation_);
    double last = 0.0;
    for (std::size_t f = 0; f < features_; ++f) {
      last = f == 0 ? random.normal() : correlation_ * last + rest * random.normal();
      out[f] = static_cast<float>(last);
    }
  }

  double at(std::span<const float> x) const {
    const double line = product(linear_, x);
    if (waves_.empty()) return line;
    double sum = 0.0;
    for (std::size_t k = 0; k < waves_.size(); ++k) sum += std::sin(product(waves_[k], x) + phases_[k]);
    return (line + std::sqrt(2.0 / static_cast<double>(waves_.size())) * sum) / std::numbers::sqrt2;
  }

 private:
  static double product(std::span<const double> a, std::span<const float> x) {
    double sum = 0.0;
    for (std::size_t f = 0; f < a.size(); ++f) sum += a[f] * static_cast<double>(x[f]);
    return sum;
  }

  // A random direction, as long as makes its product with the features have this standard deviation.
  std::vector<double> direction(Stream& random, double deviation) const {
    std::vector<double> a(features_);
    for (double& value : a) value = random.normal();
    // With x_f = r x_(f-1) + sqrt(1 - r^2) z_f: the coefficient of z_f in a.x is what a and the later features make of
    // it.
    double variance = 0.0, carried = 0.0;
    for (std::size_t f = features_; f-- > 0;) {
      carried = a[f] + correlation_ * carried;
      variance += carried * carried * (f == 0 ? 1.0 : 1.0 - correlation_ * correlation_);
    }
    for (double& value : a) value *= deviation / std::sqrt(variance);
    return a;
  }

  std::size_t features_;
  double correlation_;
  std::vector<double> linear_, phases_;
  std::vector<std::vector<double>> waves_;
};

class WavesReader final : public DatasetReader {
 public:
  WavesReader(const scenario::Waves& config, const ReaderContext& context)
      : config_(config), seed_(context.seed), function_(config, context.seed) {}

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    shape.samples = split == Split::train ? config_.train_samples() : config_.test_samples();
    shape.sample_shape = {config_.features(), 1, 1};
    shape.numbers = true;
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    const std::size_t features = config_.features();
    SOUK_EXPECT(rows.begin <= rows.end && out.numbers.size() == rows.end - rows.begin);
    SOUK_EXPECT(out.f32.size() == out.numbers.size() * features);
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const std::size_t place = row - rows.begin;
      const auto x = out.f32.subspan(place * features, features);
      Stream random(seed_, streams::wave_row(row, split == Split::test));
      function_.draw_features(random, x);
      out.numbers[place] = static_cast<float>(function_.at(x) + config_.noise() * draw_noise(random));
    }
  }

  bool rows_are_independent() const override { return true; }

 private:
  // Student's t: a normal number over the root of chi-squared over its degrees of freedom.
  double draw_noise(Stream& random) const {
    const double normal = random.normal();
    if (config_.tails() == 0.0) return normal;
    const double half = config_.tails() / 2.0;
    return normal * std::exp(0.5 * (std::log(half) - random.log_gamma(half)));
  }

  scenario::Waves config_;
  std::uint64_t seed_;
  Function function_;
};

const RegisterReader<WavesReader, scenario::Waves> register_waves_reader;

}  // namespace
}  // namespace souk
