#include "aggregators/residual_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/params/order_statistics.hpp"

namespace souk {
namespace {

/// The columns' ranks in [rows, fit_columns] by counting: n^2 / 2 comparisons that need no branch.
SOUK_MULTIVERSION void count_ranks(const float* values, std::size_t rows, std::int32_t* ranks) {
  std::fill_n(ranks, rows * fit_columns, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const float* const first = values + j * fit_columns;
      const float* const second = values + i * fit_columns;
#pragma GCC ivdep
      for (std::size_t c = 0; c < fit_columns; ++c) {
        const std::int32_t after = first[c] <= second[c] ? 1 : 0;
        ranks[i * fit_columns + c] += after;
        ranks[j * fit_columns + c] += 1 - after;
      }
    }
  }
}

/// One row of slopes: (there - here) * scale.
SOUK_MULTIVERSION void slopes_between(const float* here, const float* there, float scale, float* slopes) {
#pragma GCC ivdep
  for (std::size_t c = 0; c < fit_columns; ++c) slopes[c] = (there[c] - here[c]) * scale;
}

}  // namespace

ResidualFit::ResidualFit(std::size_t rows, double lambda)
    : rows_(rows), ranks_(rows * fit_columns), lines_(rows * fit_columns), weights_(rows * fit_columns) {
  SOUK_EXPECT(rows >= 3);
  for (Floats* block : {&values_, &sorted_, &slopes_, &medians_}) {
    *block = hwy::AllocateAligned<float>(rows * fit_columns);
  }
  for (Floats* line : {&slope_, &middle_, &spread_}) *line = hwy::AllocateAligned<float>(fit_columns);
  scratch_ = hwy::AllocateAligned<float>(order_scratch(rows));
  upcoming_.assign(rows, sorted_.get());
  // K sqrt(1 - h), h the diagonal of the hat matrix of the regression on the ranks.
  const auto n = static_cast<double>(rows);
  for (std::size_t rank = 0; rank < rows; ++rank) {
    const double x = static_cast<double>(rank) - (n - 1.0) / 2.0;
    const double h = 1.0 / n + 12.0 * x * x / (n * (n * n - 1.0));
    bounds_.push_back(lambda * std::sqrt(2.0 / n) * std::sqrt(1.0 - h));
  }
}

void ResidualFit::fit() {
  sort();
  fit_slopes();
  weigh();
}

double ResidualFit::deviation(std::size_t column) const {
  const auto n = static_cast<double>(rows_);
  double mean = 0.0;
  for (std::size_t rank = 0; rank < rows_; ++rank) mean += weights_[rank * fit_columns + column] / n;
  double variance = 0.0;
  for (std::size_t rank = 0; rank < rows_; ++rank) {
    const double distance = weights_[rank * fit_columns + column] - mean;
    variance += distance * distance / n;
  }
  return std::sqrt(variance);
}

void ResidualFit::median(const float* block, std::size_t rows, float* out) {
  block_median({.values = block,
                .rows = rows,
                .stride = fit_columns,
                .columns = fit_columns,
                .upcoming = upcoming_.data(),
                .offset = 0},
               scratch_.get(), out);
}

void ResidualFit::sort() {
  count_ranks(values_.get(), rows_, ranks_.data());
  for (std::size_t row = 0; row < rows_; ++row) {
    for (std::size_t c = 0; c < fit_columns; ++c) sorted_[at_rank(row, c)] = values_[row * fit_columns + c];
  }
}

/// slope = median over i of median over j != i of (y_j - y_i) / (j - i). Never negative: values are sorted.
void ResidualFit::fit_slopes() {
  for (std::size_t i = 0; i < rows_; ++i) {
    heartbeat::beat();
    const float* const here = sorted_.get() + i * fit_columns;
    float* slopes = slopes_.get();
    for (std::size_t j = 0; j < rows_; ++j) {
      if (j == i) continue;
      const auto apart = static_cast<float>(j) - static_cast<float>(i);
      slopes_between(here, sorted_.get() + j * fit_columns, 1.0F / apart, slopes);
      slopes += fit_columns;
    }
    median(slopes_.get(), rows_ - 1, medians_.get() + i * fit_columns);
  }
  median(medians_.get(), rows_, slope_.get());
  median(sorted_.get(), rows_, middle_.get());
  for (std::size_t c = 0; c < fit_columns; ++c) {
    const double slope = std::min(slope_[c], std::numeric_limits<float>::max());  // differences of floats may overflow
    for (std::size_t rank = 0; rank < rows_; ++rank) {
      const double x = static_cast<double>(rank) - static_cast<double>(rows_ - 1) / 2.0;
      lines_[rank * fit_columns + c] = static_cast<double>(middle_[c]) + slope * x;
    }
  }
}

/// Puts the last row's value in the place of the smallest of each column of `medians_`, which leaves it out of the
/// first n - 1 rows.
void ResidualFit::drop_smallest() {
  float* const values = medians_.get();
  const float* const last = values + (rows_ - 1) * fit_columns;
  for (std::size_t c = 0; c < fit_columns; ++c) {
    std::size_t smallest = 0;
    for (std::size_t rank = 1; rank < rows_; ++rank) {
      if (values[rank * fit_columns + c] < values[smallest * fit_columns + c]) smallest = rank;
    }
    values[smallest * fit_columns + c] = last[c];
  }
}

/// sqrt(1 - h) / e * clamp(e / sqrt(1 - h), -K, K) is min(1, K sqrt(1 - h) tau / |r|). As in the authors' code tau is
/// from the median of all |r| but the smallest. The authors add 1e-7 to tau; here it is 1e-7 of the rise of the line,
/// so that scaling all values changes no weight.
void ResidualFit::weigh() {
  for (std::size_t v = 0; v < rows_ * fit_columns; ++v) {
    weights_[v] = std::abs(static_cast<double>(sorted_[v]) - lines_[v]);
    medians_[v] = static_cast<float>(weights_[v]);
  }
  drop_smallest();
  median(medians_.get(), rows_ - 1, spread_.get());
  const auto n = static_cast<double>(rows_);
  for (std::size_t c = 0; c < fit_columns; ++c) {
    const double rise = lines_[(rows_ - 1) * fit_columns + c] - lines_[c];
    const double tau = 1.4826 * (1.0 + 5.0 / (n - 1.0)) * static_cast<double>(spread_[c]) + 1e-7 * rise;
    for (std::size_t rank = 0; rank < rows_; ++rank) {
      double& weight = weights_[rank * fit_columns + c];  // holds |r|
      const double limit = bounds_[rank] * tau;
      weight = weight <= limit ? 1.0 : limit / weight;
    }
  }
}

}  // namespace souk
