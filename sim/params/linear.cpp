#include "sim/params/linear.hpp"

#include <algorithm>
#include <array>

#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"

namespace souk {
namespace {

constexpr std::size_t block = 4096;  // columns combined at a time: their sums stay in the first cache
constexpr std::size_t slice_values = std::size_t{1} << 18;  // doubles per panel exchanged at a time

/// Eight running sums in a fixed pattern: vectorises without reordering, so every instruction set gives the same bits.
SOUK_MULTIVERSION double dot(const float* a, const float* b, std::size_t size) {
  std::array<double, 8> sums{};
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  for (std::size_t lane = 0; i < size; ++i, ++lane) {
    sums[lane] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

/// Sum of (a - b)^2, in the pattern of `dot`.
SOUK_MULTIVERSION double squared_distance(const float* a, const float* b, std::size_t size) {
  std::array<double, 8> sums{};
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) {
      const double difference = static_cast<double>(a[i + lane]) - static_cast<double>(b[i + lane]);
      sums[lane] += difference * difference;
    }
  }
  for (std::size_t i = size / 8 * 8, lane = 0; i < size; ++i, ++lane) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sums[lane] += difference * difference;
  }
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

constexpr std::size_t rows_at_a_time = 4;  // one pass over the sums serves four rows

/// Adds four weighted rows to the sums, one after the other: the order of addition is that of the rows.
SOUK_MULTIVERSION void add_scaled(const double* weights, const float* const* rows, double* sums, std::size_t size) {
  const double w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3];
  const float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
  for (std::size_t i = 0; i < size; ++i) {
    double sum = sums[i] + w0 * static_cast<double>(a[i]);
    sum += w1 * static_cast<double>(b[i]);
    sum += w2 * static_cast<double>(c[i]);
    sums[i] = sum + w3 * static_cast<double>(d[i]);
  }
}

SOUK_MULTIVERSION void round_to_float(const double* sums, float* out, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<float>(sums[i]);
}

/// One number per row, [n]: the sum over panels of `partial(panel, row)`. Walks along each row through a few panels at
/// a time: memory is read in order, and what the rows are compared with stays in the second cache.
template <class Partial>
std::vector<double> sum_of_rows(const Comm& comm, const ColumnMatrix& updates, Partial partial) {
  constexpr std::size_t columns_at_a_time = 64 * 1024;
  const std::size_t n = updates.rows();
  const auto panels = updates.panels();
  std::vector<double> partials(panels.size() * n);
  for (std::size_t first = 0; first < panels.size();) {
    std::size_t end = first;
    while (end < panels.size() && panels[end].columns.end - panels[first].columns.begin <= columns_at_a_time) ++end;
    end = std::max(end, first + 1);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t p = first; p < end; ++p) partials[p * n + i] = partial(panels[p], i);
    }
    first = end;
  }
  return sum_over_panels(comm, updates.plan(), partials, n);
}

void combine_into(const ColumnMatrix& updates, std::span<const double> weights, std::span<float> out) {
  std::vector<std::size_t> used;  // a row of weight 0 is not read: it may hold anything
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] != 0.0) used.push_back(i);
  }
  std::array<double, block> sums;
  static constexpr std::array<float, block> zeros{};
  for (std::size_t begin = 0; begin < out.size(); begin += block) {
    const std::size_t width = std::min(block, out.size() - begin);
    sums.fill(0.0);
    for (std::size_t u = 0; u < used.size(); u += rows_at_a_time) {
      std::array<double, rows_at_a_time> some_weights{};
      std::array<const float*, rows_at_a_time> some_rows;
      some_rows.fill(zeros.data());
      for (std::size_t k = 0; k < std::min(rows_at_a_time, used.size() - u); ++k) {
        some_weights[k] = weights[used[u + k]];
        some_rows[k] = updates.row(used[u + k]).data() + begin;
      }
      add_scaled(some_weights.data(), some_rows.data(), sums.data(), width);
    }
    round_to_float(sums.data(), out.data() + begin, width);
  }
}

}  // namespace

std::vector<double> sum_over_panels(const Comm& comm, const PanelPlan& plan, std::span<const double> partials,
                                    std::size_t values) {
  std::vector<std::size_t> panels;
  for (int r = 0; r < comm.size(); ++r) {
    panels.push_back(plan.first_panel(r + 1, comm.size()) - plan.first_panel(r, comm.size()));
  }
  const std::size_t own = panels[static_cast<std::size_t>(comm.rank())];
  SOUK_EXPECT(partials.size() == own * values);
  std::vector<double> sums(values, 0.0);
  if (comm.size() == 1) {
    for (std::size_t p = 0; p < own; ++p) {
      for (std::size_t v = 0; v < values; ++v) sums[v] += partials[p * values + v];
    }
    return sums;
  }
  std::vector<double> mine;
  std::vector<double> everybody;
  for (std::size_t begin = 0; begin < values; begin += slice_values) {
    const std::size_t width = std::min(slice_values, values - begin);
    mine.resize(own * width);
    for (std::size_t p = 0; p < own; ++p) std::copy_n(partials.data() + p * values + begin, width, &mine[p * width]);
    everybody.resize(plan.count() * width);
    std::vector<std::size_t> counts = panels;
    for (std::size_t& count : counts) count *= width;
    comm.all_gather_into(std::span<const double>(mine), counts, std::span(everybody));
    for (std::size_t p = 0; p < plan.count(); ++p) {
      for (std::size_t v = 0; v < width; ++v) sums[begin + v] += everybody[p * width + v];
    }
  }
  return sums;
}

std::vector<double> dots(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& vector) {
  return sum_of_rows(comm, updates, [&](const Panel& panel, std::size_t i) {
    return dot(panel.row(i).data(), vector.panel(panel).data(), panel.columns.size());
  });
}

std::vector<double> squared_norms(const Comm& comm, const ColumnMatrix& updates) {
  return sum_of_rows(comm, updates, [](const Panel& panel, std::size_t i) {
    return dot(panel.row(i).data(), panel.row(i).data(), panel.columns.size());
  });
}

DotsAndNorms dots_and_norms(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& vector) {
  return {dots(comm, updates, vector), squared_norms(comm, updates)};
}

std::vector<double> squared_distances_to(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& center) {
  return sum_of_rows(comm, updates, [&](const Panel& panel, std::size_t i) {
    return squared_distance(panel.row(i).data(), center.panel(panel).data(), panel.columns.size());
  });
}

double squared_norm(const Comm& comm, const PanelPlan& plan, const ColumnVector& vector) {
  std::vector<double> partials;
  std::size_t offset = 0;
  for (std::size_t p = plan.first_panel(comm.rank(), comm.size()); p < plan.first_panel(comm.rank() + 1, comm.size());
       ++p) {
    const std::span<const float> values = vector.values().subspan(offset, plan.columns(p).size());
    partials.push_back(dot(values.data(), values.data(), values.size()));
    offset += values.size();
  }
  return sum_over_panels(comm, plan, partials, 1).front();
}

ColumnVector combine(const ColumnMatrix& updates, std::span<const double> weights) {
  SOUK_EXPECT(weights.size() == updates.rows());
  ColumnVector out(updates);
  combine_into(updates, weights, out.values());
  return out;
}

ColumnMatrix mix(const Comm& comm, const ColumnMatrix& updates, std::span<const double> coefficients) {
  const std::size_t n = updates.rows();
  SOUK_EXPECT(n > 0 && coefficients.size() % n == 0);
  ColumnMatrixBuilder out(comm, coefficients.size() / n, updates.dimension());
  for (std::size_t r = 0; r < coefficients.size() / n; ++r) {
    combine_into(updates, coefficients.subspan(r * n, n), out.row(r));
  }
  return std::move(out).finish();
}

}  // namespace souk
