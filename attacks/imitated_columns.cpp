#include "attacks/imitated_columns.hpp"

#include <algorithm>

namespace souk {
namespace {

/// One coordinate's known values in order, and the mean of order statistics once equal values join them.
class SortedColumn {
 public:
  SortedColumn(std::size_t known, std::size_t copies, OrderRange range)
      : values_(known), sums_(known + 1, 0.0), copies_(copies), range_(range) {}

  void load(const ColumnMatrix& updates, std::size_t column) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = updates.row(i)[column];
    std::ranges::sort(values_);
    for (std::size_t i = 0; i < values_.size(); ++i) sums_[i + 1] = sums_[i] + static_cast<double>(values_[i]);
    below_ = 0;
  }

  /// With `copies` values of `value`. Fast where values come in order.
  double rule(float value) {
    while (below_ < values_.size() && values_[below_] < value) ++below_;
    while (below_ > 0 && !(values_[below_ - 1] < value)) --below_;
    const std::size_t begin = range_.first, end = range_.last + 1;
    const std::size_t copies_end = below_ + copies_;
    const auto clipped = [&](std::size_t position) { return std::clamp(position, begin, end); };
    const std::size_t taken = clipped(copies_end) - clipped(below_);
    double sum = static_cast<double>(taken) * static_cast<double>(value);
    if (below_ > begin) sum += sums_[std::min(below_, end)] - sums_[begin];
    if (end > copies_end) sum += sums_[end - copies_] - sums_[std::max(begin, copies_end) - copies_];
    return sum / static_cast<double>(end - begin);
  }

 private:
  std::vector<float> values_;  ///< ascending
  std::vector<double> sums_;   ///< of the first values, [known + 1]
  std::size_t copies_;
  OrderRange range_;
  std::size_t below_ = 0;  ///< known values below the last one asked about
};

}  // namespace

OrderRange trimmed_range(std::size_t n, std::size_t f) {
  const std::size_t trim = std::min(f, (n - 1) / 2);
  return {trim, n - 1 - trim};
}

OrderRange median_range(std::size_t n) { return {(n - 1) / 2, n / 2}; }

std::vector<double> squared_shifts(const Comm& comm, const ColumnMatrix& updates, const Ray& ray, std::size_t copies,
                                   OrderRange range, std::span<const double> gammas) {
  std::vector<double> partials(updates.panels().size() * gammas.size(), 0.0);
  SortedColumn column(updates.rows(), copies, range);
  for (std::size_t p = 0; p < updates.panels().size(); ++p) {
    const Panel& panel = updates.panels()[p];
    for (std::size_t c = panel.offset; c < panel.offset + panel.columns.size(); ++c) {
      column.load(updates, c);
      const auto origin = static_cast<double>(ray.origin.values()[c]);
      const auto direction = static_cast<double>(ray.direction.values()[c]);
      for (std::size_t g = 0; g < gammas.size(); ++g) {
        const double shift = column.rule(static_cast<float>(origin + gammas[g] * direction)) - origin;
        partials[p * gammas.size() + g] += shift * shift;
      }
    }
  }
  return sum_over_panels(comm, updates.plan(), partials, gammas.size());
}

}  // namespace souk
