#include <algorithm>
#include <cmath>

#include "aggregators/column_sample.hpp"
#include "aggregators/rule_tools.hpp"
#include "aggregators/stats/mean_shift.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"
#include "sim/params/krum_scores.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

constexpr std::size_t shares = 3;  // of values that are +, 0, -

/// Of the values of each update in some columns, [n, 3]. Collective.
std::vector<double> sign_shares(const RuleInput& input, const std::vector<std::size_t>& columns) {
  const std::size_t n = input.updates.rows();
  std::vector<double> counts(input.updates.panels().size() * n * shares, 0.0);
  double* count = counts.data();
  for (const Panel& panel : input.updates.panels()) {
    const auto begin = std::lower_bound(columns.begin(), columns.end(), panel.columns.begin);
    const auto end = std::lower_bound(begin, columns.end(), panel.columns.end);
    for (std::size_t i = 0; i < n; ++i, count += shares) {
      const std::span<const float> row = panel.row(i);
      for (auto column = begin; column != end; ++column) {
        const float value = row[*column - panel.columns.begin];
        count[0] += value > 0.0F;
        count[1] += value == 0.0F;
        count[2] += value < 0.0F;
      }
    }
  }
  std::vector<double> result = sum_over_panels(input.comm, input.updates.plan(), counts, n * shares);
  for (double& share : result) share /= static_cast<double>(columns.size());
  return result;
}

/// Every feature divided by its largest value, as in the authors' code: then a share that is small for all counts too.
void divide_by_largest(std::vector<double>& values) {
  for (std::size_t k = 0; k < shares; ++k) {
    double largest = 0.0;
    for (std::size_t v = k; v < values.size(); v += shares) largest = std::max(largest, values[v]);
    for (std::size_t v = k; v < values.size() && largest > 0.0; v += shares) values[v] /= largest;
  }
}

/// Xu, Huang, Song, Lan, "Byzantine-robust Federated Learning through Collaborative Malicious Gradient Filtering",
/// ICDCS 2022, Algorithm 2, with the features of the authors' code. As the paper says, columns are drawn one by one;
/// the code takes one contiguous block of them.
class SignGuard final : public Aggregator {
 public:
  explicit SignGuard(const scenario::SignGuard& config)
      : similarity_(config.similarity()),
        lower_(config.lower()),
        upper_(config.upper()),
        coordinates_(config.coordinates()) {}

  RuleNeeds needs() const override { return {.memory = similarity_ != scenario::SignGuard::NONE}; }
  /// The distance to the last aggregate changes with the length of the updates; so do no shares and no cosine.
  RulePreserves preserves() const override {
    return {.scale = similarity_ != scenario::SignGuard::DISTANCE, .translation = false};
  }

  void check(const RoundSize&) const override {
    SOUK_REQUIRE(lower_ <= upper_,
                 "aggregator.signguard.lower = {}: no update is at least as long and no longer than {}", lower_,
                 upper_);
  }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.held = similarity_ == scenario::SignGuard::NONE ? 0.0 : scale.vector(),
            .working = scale.pairs() +
                       drawn_columns_bytes(scale.dimension, coordinates_ * static_cast<double>(scale.dimension)) +
                       scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::vector<double> norms = norms_of(input);
    const double middle = median(norms);
    std::vector<std::size_t> usual;
    for (std::size_t i = 0; i < norms.size(); ++i) {
      if (norms[i] >= lower_ * middle && norms[i] <= upper_ * middle) usual.push_back(i);
    }
    const std::vector<std::size_t> alike = largest_cluster(features(input, norms));
    std::vector<std::size_t> both;
    std::set_intersection(usual.begin(), usual.end(), alike.begin(), alike.end(), std::back_inserter(both));
    RuleOutput output = clipped_mean_of(input, both.empty() ? usual : both, norms, middle);
    output.diagnostics["clipping_norm"] = middle;
    if (similarity_ != scenario::SignGuard::NONE) remember(input, output.step);
    return output;
  }

  void serialize(Archive& archive, const Comm& comm) override {
    archive.field("dimension", dimension_);
    serialize_columns(archive, "last aggregate", comm, static_cast<std::size_t>(dimension_), last_);
  }

 private:
  DenseMatrix features(const RuleInput& input, std::span<const double> norms) const {
    const std::size_t n = input.updates.rows();
    const std::size_t d = input.updates.dimension();
    const auto count = static_cast<std::size_t>(coordinates_ * static_cast<double>(d));
    std::vector<double> signs = sign_shares(input, draw_columns(d, std::max<std::size_t>(1, count), input.random));
    divide_by_largest(signs);
    const std::vector<double> further = similarities(input, norms);
    DenseMatrix points(n, shares + (further.empty() ? 0 : 1));
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(signs.begin() + static_cast<std::ptrdiff_t>(i * shares), shares, points.row(i).begin());
      if (!further.empty()) points(i, shares) = further[i];
    }
    return points;
  }

  /// To the last aggregate; empty where signs alone count.
  std::vector<double> similarities(const RuleInput& input, std::span<const double> norms) const {
    if (similarity_ == scenario::SignGuard::NONE) return {};
    const ColumnVector last = dimension_ == 0 ? median_of_columns(input.updates) : last_;
    return similarity_ == scenario::SignGuard::COSINE ? clamped_cosines(input, norms, last) : far_away(input, last);
  }

  /// Cosines clamped to [0, their median], in five medians; all 0 where the median is not positive.
  static std::vector<double> clamped_cosines(const RuleInput& input, std::span<const double> norms,
                                             const ColumnVector& last) {
    std::vector<double> result = cosines_with(input.comm, input.updates, norms, last);
    const double middle = median(result);
    for (double& cosine : result) cosine = middle > 0.0 ? std::clamp(cosine, 0.0, middle) / (5.0 * middle) : 0.0;
    return result;
  }

  /// 1/5 for distances of 1.1 medians and more, else 0; what is not away at all is not far.
  static std::vector<double> far_away(const RuleInput& input, const ColumnVector& last) {
    std::vector<double> result = squared_distances_to(input.comm, input.updates, last);
    for (double& distance : result) distance = std::sqrt(distance);
    const double far = 1.1 * median(result);
    for (double& distance : result) distance = distance > 0.0 && distance >= far ? 0.2 : 0.0;
    return result;
  }

  /// The quantile of the bandwidth is that of the authors' code. Of fewer than four points it reaches none but the
  /// point itself: then all are alike.
  static std::vector<std::size_t> largest_cluster(const DenseMatrix& points) {
    if (points.rows < 4) return all_rows(points.rows);
    const std::vector<std::size_t> labels = mean_shift(points, estimate_bandwidth(points, 0.5));
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == 0) members.push_back(i);
    }
    return members;
  }

  void remember(const RuleInput& input, const ColumnVector& step) {
    dimension_ = static_cast<std::int64_t>(input.updates.dimension());
    last_ = step;
  }

  scenario::SignGuard::Similarity similarity_;
  double lower_, upper_, coordinates_;
  std::int64_t dimension_ = 0;  ///< 0: there is no last aggregate yet
  ColumnVector last_;
};

const Register<Aggregator, SignGuard, scenario::SignGuard> register_sign_guard;

}  // namespace
}  // namespace souk
