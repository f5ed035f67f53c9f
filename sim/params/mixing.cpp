#include "sim/params/mixing.hpp"

#include <algorithm>
#include <array>

#include "sim/params/row_mixtures.hpp"

namespace souk {
namespace {

/// Outputs that a row read serves on average: with fewer, adding up one output after the other is as fast.
constexpr std::size_t outputs_per_row_min = 2;

}  // namespace

SharedMixing::SharedMixing(std::span<const double> coefficients, std::size_t updates, std::size_t columns)
    : updates_(updates),
      columns_((columns + mixture_columns_unit - 1) / mixture_columns_unit * mixture_columns_unit),
      finite_(updates) {
  const std::size_t rows = coefficients.size() / updates;
  const std::size_t groups = (rows + mixture_rows_max - 1) / mixture_rows_max;
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t first = g * rows / groups;
    add_group(coefficients, first, (g + 1) * rows / groups - first);
  }
  std::vector<bool> used(updates);
  for (const Group& group : groups_) {
    for (const std::uint32_t i : group.from) used[i] = true;
  }
  for (std::uint32_t i = 0; i < updates; ++i) {
    if (used[i]) used_.push_back(i);
  }
  if (!groups_.empty()) placed_ = hwy::AllocateAligned<float>(updates_ * columns_);
}

void SharedMixing::add_group(std::span<const double> coefficients, std::size_t first, std::size_t rows) {
  Group group{first, rows, {}, {}};
  std::size_t terms = 0;
  for (std::uint32_t i = 0; i < updates_; ++i) {
    std::array<double, mixture_rows_max> column;
    for (std::size_t r = 0; r < rows; ++r) column[r] = coefficients[(first + r) * updates_ + i];
    const auto end = column.begin() + static_cast<std::ptrdiff_t>(rows);
    const auto zeros = static_cast<std::size_t>(std::count(column.begin(), end, 0.0));
    if (zeros == rows) continue;
    group.from.push_back(i);
    group.coefficients.insert(group.coefficients.end(), column.begin(), end);
    terms += rows - zeros;
  }
  if (terms > 0 && terms >= outputs_per_row_min * group.from.size()) {
    groups_.push_back(std::move(group));
  } else {
    for (std::size_t r = 0; r < rows; ++r) others_.push_back(first + r);
  }
}

void SharedMixing::place(const ColumnMatrix& updates, ColumnRange columns) {
  const MixedColumns block{placed_.get(), updates_, columns_};
  all_finite_ = true;
  for (std::size_t k = 0; k < used_.size(); ++k) {
    const std::size_t i = used_[k], next = used_[std::min(k + 1, used_.size() - 1)];
    finite_[i] = place_row(updates.row(i).data() + columns.begin, updates.row(next).data() + columns.begin,
                           columns.size(), block, i);
    all_finite_ = all_finite_ && finite_[i];
  }
}

/// Whether some row that is not finite has the coefficient 0 for one output and not for another.
bool SharedMixing::meets_non_finite(const Group& group) const {
  if (all_finite_) return false;
  for (std::size_t t = 0; t < group.from.size(); ++t) {
    const auto of_row = std::span(group.coefficients).subspan(t * group.rows, group.rows);
    if (!finite_[group.from[t]] && std::find(of_row.begin(), of_row.end(), 0.0) != of_row.end()) return true;
  }
  return false;
}

void SharedMixing::mix_one(const Group& group, std::size_t r, std::size_t size, float* out) {
  from_.clear();
  coefficients_.clear();
  for (std::size_t t = 0; t < group.from.size(); ++t) {
    const double coefficient = group.coefficients[t * group.rows + r];
    if (coefficient == 0.0) continue;
    from_.push_back(group.from[t]);
    coefficients_.push_back(coefficient);
  }
  mix_columns({placed_.get(), updates_, columns_}, {from_.data(), coefficients_.data(), from_.size(), 1}, size, &out);
}

void SharedMixing::mix(const ColumnMatrix& updates, ColumnRange columns, ColumnMatrixBuilder& out) {
  if (groups_.empty()) return;
  place(updates, columns);
  for (const Group& group : groups_) {
    std::array<float*, mixture_rows_max> rows;
    for (std::size_t r = 0; r < group.rows; ++r) rows[r] = out.row(group.first + r).data() + columns.begin;
    if (meets_non_finite(group)) {
      for (std::size_t r = 0; r < group.rows; ++r) mix_one(group, r, columns.size(), rows[r]);
    } else {
      mix_columns({placed_.get(), updates_, columns_},
                  {group.from.data(), group.coefficients.data(), group.from.size(), group.rows}, columns.size(),
                  rows.data());
    }
  }
}

}  // namespace souk
