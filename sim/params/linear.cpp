#include "sim/params/linear.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/params/mixing.hpp"
#include "sim/params/row_mixtures.hpp"
#include "sim/params/row_sums.hpp"

namespace souk {
namespace {

constexpr std::size_t block = 4096;  // columns combined at a time: their sums stay in the first cache
constexpr std::size_t mix_values = std::size_t{1} << 17;    // of the rows mixed: they stay in the second cache
constexpr std::size_t slice_values = std::size_t{1} << 18;  // doubles per panel exchanged at a time

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

/// Calls `partial(panel index, row)` for all. Walks along each row through a few panels at
/// a time: memory is read in order, and what the rows are compared with stays in the second cache.
template <class Partial>
void for_each_panel_and_row(const ColumnMatrix& updates, Partial partial) {
  constexpr std::size_t columns_at_a_time = 64 * 1024;
  const auto panels = updates.panels();
  for (std::size_t first = 0; first < panels.size();) {
    std::size_t end = first;
    heartbeat::beat();
    while (end < panels.size() && panels[end].columns.end - panels[first].columns.begin <= columns_at_a_time) ++end;
    end = std::max(end, first + 1);
    for (std::size_t i = 0; i < updates.rows(); ++i) {
      for (std::size_t p = first; p < end; ++p) partial(p, i);
    }
    first = end;
  }
}

/// One number per row, [n]: the sum over panels of `partial(panel, row)`.
template <class Partial>
std::vector<double> sum_of_rows(const Comm& comm, const ColumnMatrix& updates, Partial partial) {
  const std::size_t n = updates.rows();
  std::vector<double> partials(updates.panels().size() * n);
  for_each_panel_and_row(updates,
                         [&](std::size_t p, std::size_t i) { partials[p * n + i] = partial(updates.panels()[p], i); });
  return sum_over_panels(comm, updates.plan(), partials, n);
}

/// Weighted sums of rows, columns [begin, begin + out.size()). A row of weight 0 is not read: it may hold anything.
void combine_block(const ColumnMatrix& updates, std::span<const double> weights, std::size_t begin,
                   std::span<float> out) {
  static constexpr std::array<float, block> zeros{};
  std::array<double, block> sums;
  std::fill_n(sums.begin(), out.size(), 0.0);
  for (std::size_t i = 0; i < weights.size();) {
    std::array<double, rows_at_a_time> some_weights{};
    std::array<const float*, rows_at_a_time> some_rows;
    some_rows.fill(zeros.data());
    std::size_t taken = 0;
    for (; i < weights.size() && taken < rows_at_a_time; ++i) {
      if (weights[i] == 0.0) continue;
      some_weights[taken] = weights[i];
      some_rows[taken++] = updates.row(i).data() + begin;
    }
    if (taken > 0) add_scaled(some_weights.data(), some_rows.data(), sums.data(), out.size());
  }
  round_to_float(sums.data(), out.data(), out.size());
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
    std::span<const double> slice = partials;
    if (width < values) {
      mine.resize(own * width);
      for (std::size_t p = 0; p < own; ++p) std::copy_n(partials.data() + p * values + begin, width, &mine[p * width]);
      slice = mine;
    }
    everybody.resize(plan.count() * width);
    std::vector<std::size_t> counts = panels;
    for (std::size_t& count : counts) count *= width;
    heartbeat::beat();
    comm.all_gather_into(slice, counts, std::span(everybody));
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
  const std::size_t n = updates.rows();
  std::vector<double> partials(updates.panels().size() * 2 * n);
  for_each_panel_and_row(updates, [&](std::size_t p, std::size_t i) {
    const Panel& panel = updates.panels()[p];
    const DotAndNorm both = dot_and_norm(panel.row(i).data(), vector.panel(panel).data(), panel.columns.size());
    partials[p * 2 * n + i] = both.dot;
    partials[p * 2 * n + n + i] = both.squared_norm;
  });
  const std::vector<double> sums = sum_over_panels(comm, updates.plan(), partials, 2 * n);
  const auto middle = sums.begin() + static_cast<std::ptrdiff_t>(n);
  return {{sums.begin(), middle}, {middle, sums.end()}};
}

std::vector<double> cosines_with(const Comm& comm, const ColumnMatrix& updates, std::span<const double> lengths,
                                 const ColumnVector& vector) {
  SOUK_EXPECT(lengths.size() == updates.rows());
  const double length = std::sqrt(squared_norm(comm, updates.plan(), vector));
  std::vector<double> cosines = dots(comm, updates, vector);
  for (std::size_t i = 0; i < cosines.size(); ++i) cosines[i] = cosine_of(cosines[i], lengths[i] * length);
  return cosines;
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
  const std::size_t columns = out.values().size();
  for (std::size_t begin = 0; begin < columns; begin += block) {
    heartbeat::beat();
    combine_block(updates, weights, begin, out.values().subspan(begin, std::min(block, columns - begin)));
  }
  return out;
}

ColumnMatrix mix(const Comm& comm, const ColumnMatrix& updates, std::span<const double> coefficients) {
  const std::size_t n = updates.rows();
  SOUK_EXPECT(n > 0 && coefficients.size() % n == 0);
  const std::size_t mixed = coefficients.size() / n;
  ColumnMatrixBuilder out(comm, mixed, updates.dimension());
  const std::size_t columns = updates.local_columns().size();
  const std::size_t width = std::clamp(mix_values / n / mixture_columns_unit * mixture_columns_unit,
                                       4 * mixture_columns_unit, block / mixture_columns_unit * mixture_columns_unit);
  SharedMixing shared(coefficients, n, width);
  for (std::size_t begin = 0; begin < columns; begin += width) {
    const std::size_t size = std::min(width, columns - begin);
    heartbeat::beat();
    shared.mix(updates, {begin, begin + size}, out);
    for (const std::size_t r : shared.others()) {
      combine_block(updates, coefficients.subspan(r * n, n), begin, out.row(r).subspan(begin, size));
    }
  }
  return std::move(out).finish();
}

}  // namespace souk
