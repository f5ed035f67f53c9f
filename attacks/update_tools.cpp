#include "attacks/update_tools.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/multiversion.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

SOUK_MULTIVERSION void add_row(const float* row, std::size_t size, double* sums) {
  for (std::size_t c = 0; c < size; ++c) sums[c] += static_cast<double>(row[c]);
}

SOUK_MULTIVERSION void add_squared_differences(const float* row, const double* mean, std::size_t size, double* sums) {
  for (std::size_t c = 0; c < size; ++c) {
    const double difference = static_cast<double>(row[c]) - mean[c];
    sums[c] += difference * difference;
  }
}

}  // namespace

ColumnMatrix copies_of(const Comm& comm, std::size_t dimension, const ColumnVector& vector, std::size_t rows) {
  ColumnMatrixBuilder copies(comm, rows, dimension);
  for (std::size_t i = 0; i < rows; ++i) std::ranges::copy(vector.values(), copies.row(i).begin());
  return std::move(copies).finish();
}

ColumnMatrix scale_rows(const Comm& comm, const ColumnMatrix& from, std::span<const double> factors) {
  ColumnMatrixBuilder scaled(comm, from.rows(), from.dimension());
  for (std::size_t i = 0; i < from.rows(); ++i) {
    const auto factor = static_cast<float>(factors[i]);
    const auto in = from.row(i);
    const auto out = scaled.row(i);
    for (std::size_t c = 0; c < in.size(); ++c) out[c] = factor * in[c];
  }
  return std::move(scaled).finish();
}

Spread spread_of(const ColumnMatrix& updates) {
  constexpr std::size_t block = 512;
  const auto n = static_cast<double>(updates.rows());
  Spread spread{ColumnVector(updates), ColumnVector(updates)};
  const std::size_t size = spread.mean.values().size();
  std::vector<double> mean(block), squares(block);
  for (std::size_t first = 0; first < size; first += block) {
    const std::size_t columns = std::min(block, size - first);
    std::fill(mean.begin(), mean.end(), 0.0);
    std::fill(squares.begin(), squares.end(), 0.0);
    for (std::size_t i = 0; i < updates.rows(); ++i) {
      add_row(updates.row(i).data() + first, columns, mean.data());
    }
    for (std::size_t c = 0; c < columns; ++c) mean[c] /= n;
    for (std::size_t i = 0; i < updates.rows(); ++i) {
      add_squared_differences(updates.row(i).data() + first, mean.data(), columns, squares.data());
    }
    for (std::size_t c = 0; c < columns; ++c) {
      spread.mean.values()[first + c] = static_cast<float>(mean[c]);
      spread.deviation.values()[first + c] = static_cast<float>(std::sqrt(squares[c] / n));
    }
  }
  return spread;
}

void fill_normal(const PublicRound& round, AgentId agent, std::uint16_t lane, const ColumnMatrix& like,
                 std::span<float> values) {
  for (const Panel& panel : like.panels()) {
    Stream random(round.seed, streams::update_values(agent, round.round, lane, panel.index));
    for (float& value : values.subspan(panel.offset, panel.columns.size())) {
      value = static_cast<float>(random.normal());
    }
  }
}

}  // namespace souk
