#include "sim/data/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"

namespace souk {
namespace {

__extension__ using Wide = unsigned __int128;

// One channel's plane: shift and scale are the same for every value.
SOUK_MULTIVERSION void scale_plane(const std::uint8_t* in, std::size_t n, float shift, float scale, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = (static_cast<float>(in[i]) - shift) * scale;
}
SOUK_MULTIVERSION void scale_plane(const float* in, std::size_t n, float shift, float scale, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = (in[i] - shift) * scale;
}

// One table row: every value is its own channel.
SOUK_MULTIVERSION void scale_row(const std::uint8_t* in, std::size_t n, const float* shift, const float* scale,
                                 float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = (static_cast<float>(in[i]) - shift[i]) * scale[i];
}
SOUK_MULTIVERSION void scale_row(const float* in, std::size_t n, const float* shift, const float* scale, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = (in[i] - shift[i]) * scale[i];
}

template <class Value>
void copy_scaled(std::span<const Value> stored, const DatasetShape& shape, const Scaling& scaling,
                 std::span<const SampleIndex> which, float* out) {
  const std::size_t channels = shape.sample_shape[0];
  const std::size_t features = shape.features();
  const std::size_t plane = features / channels;
  for (const SampleIndex sample : which) {
    const Value* in = stored.data() + sample * features;
    if (plane == 1) {
      scale_row(in, channels, scaling.shift.data(), scaling.scale.data(), out);
    } else {
      for (std::size_t c = 0; c < channels; ++c) {
        scale_plane(in + c * plane, plane, scaling.shift[c], scaling.scale[c], out + c * plane);
      }
    }
    out += features;
  }
}

struct ByteSums {
  std::uint64_t sum = 0, squares = 0;
};

// Partial sums stay below 2^32 for up to 66,051 bytes.
constexpr std::size_t bytes_per_partial = 65536;

SOUK_MULTIVERSION void add_bytes(const std::uint8_t* in, std::size_t n, ByteSums& sums) {
  std::uint32_t sum = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t value = in[i];
    sum += value;
    squares += value * value;
  }
  sums.sum += sum;
  sums.squares += squares;
}

Scaling fit_bytes(const DatasetShape& shape, std::span<const std::uint8_t> values) {
  const std::size_t channels = shape.sample_shape[0];
  const std::size_t plane = shape.features() / channels;
  std::vector<ByteSums> sums(channels);
  for (std::size_t row = 0; row < shape.samples; ++row) {
    for (std::size_t c = 0; c < channels; ++c) {
      const std::uint8_t* in = values.data() + (row * channels + c) * plane;
      for (std::size_t done = 0; done < plane; done += bytes_per_partial) {
        add_bytes(in + done, std::min(plane - done, bytes_per_partial), sums[c]);
      }
    }
  }
  Scaling scaling = raw_scaling(shape);
  const auto count = static_cast<std::uint64_t>(shape.samples * plane);
  for (std::size_t c = 0; c < channels && count > 0; ++c) {
    // n sum(x^2) - sum(x)^2, exact: the variance times n^2.
    const Wide spread = Wide{count} * sums[c].squares - Wide{sums[c].sum} * sums[c].sum;
    const double n = static_cast<double>(count);
    scaling.shift[c] = static_cast<float>(static_cast<double>(sums[c].sum) / n);
    if (spread > 0) scaling.scale[c] = static_cast<float>(n / std::sqrt(static_cast<double>(spread)));
  }
  return scaling;
}

struct FloatMoments {
  std::vector<double> sum, squares;
  std::vector<float> min, max;
};

Scaling fit_floats(const DatasetShape& shape, std::span<const float> values) {
  const std::size_t channels = shape.sample_shape[0];
  const std::size_t plane = shape.features() / channels;
  FloatMoments m{std::vector<double>(channels), std::vector<double>(channels),
                 std::vector<float>(channels, std::numeric_limits<float>::infinity()),
                 std::vector<float>(channels, -std::numeric_limits<float>::infinity())};
  Scaling scaling = raw_scaling(shape);
  if (shape.samples == 0) return scaling;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i / plane % channels;
    m.sum[c] += static_cast<double>(values[i]);
    m.min[c] = std::min(m.min[c], values[i]);
    m.max[c] = std::max(m.max[c], values[i]);
  }
  const double n = static_cast<double>(shape.samples * plane);
  for (double& sum : m.sum) sum /= n;
  // A second pass over deviations: the sum of squares alone cancels for columns far from zero.
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i / plane % channels;
    const double deviation = static_cast<double>(values[i]) - m.sum[c];
    m.squares[c] += deviation * deviation;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    const bool constant = m.min[c] == m.max[c];  // its rounded mean may differ from it
    scaling.shift[c] = constant ? m.min[c] : static_cast<float>(m.sum[c]);
    const double scale = std::sqrt(n / m.squares[c]);
    if (!constant && std::isfinite(scale)) scaling.scale[c] = static_cast<float>(scale);
  }
  return scaling;
}

}  // namespace

Dataset::Dataset(DatasetShape shape, DatasetBuffers buffers, Scaling scaling)
    : shape_(std::move(shape)), buffers_(buffers), scaling_(std::move(scaling)) {
  const std::size_t values = shape_.samples * shape_.row_values();
  SOUK_EXPECT(buffers_.u8.size() == (shape_.element == Element::u8 ? values : 0));
  SOUK_EXPECT(buffers_.f32.size() == (shape_.element == Element::f32 ? values : 0));
  SOUK_EXPECT(shape_.numbers == shape_.class_names.empty());
  SOUK_EXPECT(buffers_.labels.size() == (shape_.numbers ? 0 : shape_.samples));
  SOUK_EXPECT(buffers_.numbers.size() == (shape_.numbers ? shape_.samples : 0));
  SOUK_EXPECT(buffers_.groups.size() == (shape_.groups > 0 ? shape_.samples : 0));
  const std::size_t channels = shape_.sample_shape[0];
  const bool unscaled = shape_.graph && scaling_.shift.empty() && scaling_.scale.empty();
  SOUK_EXPECT(unscaled || (scaling_.shift.size() == channels && scaling_.scale.size() == channels));
}

Dataset Dataset::revised(std::shared_ptr<const RevisedRows> rows) const {
  Dataset other = *this;
  other.revised_ = std::move(rows);
  return other;
}

void Dataset::copy_features(std::span<const SampleIndex> which, std::span<float> out) const {
  SOUK_EXPECT(!shape_.graph && out.size() == which.size() * features());
  for (const SampleIndex sample : which) SOUK_EXPECT(sample < size());
  if (shape_.element == Element::u8) {
    copy_scaled<std::uint8_t>(buffers_.u8, shape_, scaling_, which, out.data());
  } else {
    copy_scaled<float>(buffers_.f32, shape_, scaling_, which, out.data());
  }
  if (revised_ == nullptr || revised_->features.empty()) return;
  for (std::size_t i = 0; i < which.size(); ++i) {
    const auto found = revised_->features.find(which[i]);
    if (found == revised_->features.end()) continue;
    for (const FeatureRun& run : found->second) {
      std::ranges::fill(out.subspan(i * features() + run.first, run.count), run.value);
    }
  }
}

void Dataset::copy_numbers(std::span<const SampleIndex> which, std::span<float> out) const {
  SOUK_EXPECT(shape_.numbers && out.size() == which.size());
  for (std::size_t i = 0; i < which.size(); ++i) {
    SOUK_EXPECT(which[i] < size());
    out[i] = (buffers_.numbers[which[i]] - scaling_.number_shift) * scaling_.number_scale;
  }
}

Scaling fit_standard_scaling(const DatasetShape& shape, const DatasetBuffers& training) {
  if (shape.graph) return raw_scaling(shape);  // rows hold nothing that could be fitted to
  Scaling scaling = shape.element == Element::u8 ? fit_bytes(shape, training.u8) : fit_floats(shape, training.f32);
  if (!shape.numbers) return scaling;
  const DatasetShape one{.samples = shape.samples, .class_names = {}};
  const Scaling of_numbers = fit_floats(one, training.numbers);
  scaling.number_shift = of_numbers.shift[0];
  scaling.number_scale = of_numbers.scale[0];
  return scaling;
}

Scaling unit_scaling(const DatasetShape& shape) {
  Scaling scaling = raw_scaling(shape);
  if (shape.element == Element::u8) std::fill(scaling.scale.begin(), scaling.scale.end(), 1.0f / 255.0f);
  return scaling;
}

Scaling raw_scaling(const DatasetShape& shape) {
  return {std::vector<float>(shape.sample_shape[0], 0.0f), std::vector<float>(shape.sample_shape[0], 1.0f)};
}

}  // namespace souk
