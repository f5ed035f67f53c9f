#include <algorithm>
#include <cmath>
#include <limits>

#include "aggregators/rule_tools.hpp"
#include "aggregators/stats/elliptic_envelope.hpp"
#include "aggregators/stats/imputer.hpp"
#include "aggregators/stats/kmeans.hpp"
#include "aggregators/stats/labels.hpp"
#include "aggregators/stats/silhouette.hpp"
#include "aggregators/stats/similarity.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

constexpr double unjudged = 1e6;              // a class that no validator holds never is the worst one
constexpr std::size_t fewest_clustered = 10;  // in the repository
constexpr double largest_report = 100;  // nats: a model this much worse is ruined, and must not drown the other reports

/// What the validators judge: combinations of updates, and the combination that stands for each client.
struct Representatives {
  std::vector<double> coefficients;      ///< [m, n]
  std::vector<std::size_t> of_client{};  ///< [n]
  std::size_t count = 0;                 ///< m
};

/// Equation 4: every update, mixed with the updates that point its way. As printed the norm of the update itself
/// cancels: a sibling weighs its cosine over its norm. The repository's min(|x_i|/|x_j|, 1) does not cancel.
Representatives bijective(const SymmetricMatrix& alike, std::span<const double> norms, double tau, bool as_code) {
  const std::size_t n = norms.size();
  Representatives made{.coefficients = std::vector<double>(n * n, 0.0), .of_client = all_rows(n), .count = n};
  for (std::size_t i = 0; i < n; ++i) {
    heartbeat::beat();
    double* row = made.coefficients.data() + i * n;
    double sum = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      const double similarity = std::max(0.0, alike(i, j));
      if (j == i || similarity == 0.0) continue;
      row[j] = similarity * (as_code ? std::min(1.0, norms[i] / norms[j]) : 1.0 / norms[j]);
      sum += row[j];
    }
    for (std::size_t j = 0; j < n && sum > 0.0; ++j) row[j] *= tau / sum;
    row[i] = sum > 0.0 ? 1.0 - tau : 1.0;
  }
  return made;
}

/// The number of clusters with the best silhouette, and the means of those clusters.
Representatives clustered(const SymmetricMatrix& squares, const SymmetricMatrix& distances, std::size_t most,
                          Stream& random) {
  const std::size_t n = squares.order;
  std::vector<std::size_t> best(n, 0);
  double best_silhouette = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 2; k <= most; ++k) {
    const std::vector<std::size_t> labels = kmeans(squares, k, random).labels;
    const double silhouette = mean_silhouette(distances, labels);
    if (silhouette <= best_silhouette) continue;
    best_silhouette = silhouette;
    best = labels;
  }
  const std::vector<std::size_t> sizes = cluster_sizes(best);
  Representatives made{
      .coefficients = std::vector<double>(sizes.size() * n, 0.0), .of_client = best, .count = sizes.size()};
  for (std::size_t i = 0; i < n; ++i) {
    made.coefficients[best[i] * n + i] = 1.0 / static_cast<double>(sizes[best[i]]);
  }
  return made;
}

/// Every update stands for itself.
Representatives one_per_client(std::size_t n) {
  Representatives made{.coefficients = std::vector<double>(n * n, 0.0), .of_client = all_rows(n), .count = n};
  for (std::size_t i = 0; i < n; ++i) made.coefficients[i * n + i] = 1.0;
  return made;
}

SymmetricMatrix mapped(SymmetricMatrix matrix, double (*map)(double)) {
  for (double& value : matrix.lower) value = map(value);
  return matrix;
}

/// Kabir, Song, Rashid, Mehnaz, "FLShield: A Validation Based Federated Learning Framework to Defend Against Poisoning
/// Attacks", IEEE S&P 2024 (section and equation numbers of arXiv:2308.05832v1).
class FlShield final : public Aggregator {
 public:
  explicit FlShield(const scenario::FlShield& config)
      : clusters_(config.representatives() == scenario::FlShield::CLUSTER),
        as_code_(config.variant() == scenario::FlShield::CODE),
        by_mean_(config.imputation() == scenario::FlShield::MEAN),
        tau_(config.tau()),
        keep_(config.keep()),
        contamination_(config.contamination()) {}

  RuleNeeds needs() const override { return {.validators = true, .classes = true}; }
  RulePreserves preserves() const override { return {.scale = false, .translation = false, .permutation = !clusters_}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {
        .working = static_cast<double>(scale.updates + 1) * scale.vector() + scale.distances() + 3.0 * scale.pairs(),
        .candidates = scale.updates};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const SymmetricMatrix products = gram(input.comm, input.updates);
    std::vector<double> norms;
    for (std::size_t i = 0; i < products.order; ++i) norms.push_back(std::sqrt(products(i, i)));
    const Representatives made = represent(input, products, norms);
    const DenseMatrix reports = reports_on(input, made);
    const std::vector<std::size_t> honest = honest_reports(reports, input.random);
    const std::vector<double> scores = scores_of(reports, honest, made.count);

    std::vector<double> negated, of_clients;
    for (const double score : scores) negated.push_back(-score);
    for (const std::size_t r : made.of_client) of_clients.push_back(scores[r]);
    const std::vector<std::size_t> accepted = smallest(negated, made.count - dropped(made.count));
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < made.of_client.size(); ++i) {
      if (std::binary_search(accepted.begin(), accepted.end(), made.of_client[i])) rows.push_back(i);
    }
    RuleOutput output = clipped(input, rows, norms);
    output.scores = of_clients;
    output.diagnostics = {{"representatives", static_cast<double>(made.count)},
                          {"classes_judged", static_cast<double>(classes_judged(reports, input.losses->classes()))},
                          {"validators_dropped", static_cast<double>(reports.rows - honest.size())}};
    return output;
  }

 private:
  Representatives represent(const RuleInput& input, const SymmetricMatrix& products,
                            const std::vector<double>& norms) const {
    const std::size_t n = products.order;
    if (!clusters_) return bijective(cosines(products), norms, tau_, as_code_);
    if (!as_code_) {
      const SymmetricMatrix squares = squared_distances(input.comm, input.updates);
      const auto root = [](double square) { return std::sqrt(square); };
      return clustered(squares, mapped(squares, root), n < 2 ? 1 : std::max<std::size_t>(2, n / 2), input.random);
    }
    if (n < fewest_clustered) return one_per_client(n);
    const SymmetricMatrix apart = mapped(cosines(products), [](double cosine) { return 1.0 - cosine; });
    DenseMatrix rows(n, n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) rows(i, j) = apart(i, j);
    }
    const std::size_t bound = std::min<std::size_t>(n, 15);
    return clustered(squared_distances(rows), apart, bound > 0 ? bound - 1 : 0, input.random);
  }

  /// The mean of clipped updates; in the repository what clipping took is given back to all.
  RuleOutput clipped(const RuleInput& input, const std::vector<std::size_t>& rows,
                     const std::vector<double>& norms) const {
    const double limit = median(norms);
    if (!as_code_) return clipped_mean_of(input, rows, norms, limit);
    std::vector<double> coefficients(norms.size(), 0.0);
    for (const std::size_t i : rows) coefficients[i] = clip_factor(norms[i], limit);
    return weighted_sum(input, shares_of(coefficients));
  }

  /// Of m representatives, all but one at most. The authors drop floor(m / 2): of an odd number the larger part stays.
  std::size_t dropped(std::size_t m) const {
    return std::min(m - 1, static_cast<std::size_t>((1.0 - keep_) * static_cast<double>(m) + 1e-9));
  }

  /// What each validator reports, flattened and completed: [validators, representatives x classes].
  DenseMatrix reports_on(const RuleInput& input, const Representatives& made) const {
    const ColumnMatrix steps = mix(input.comm, input.updates, made.coefficients);
    DenseMatrix reports(input.losses->validators().size(),
                        made.count * static_cast<std::size_t>(input.losses->classes()));
    reports.values = input.losses->validator_reports(steps);
    SOUK_EXPECT(reports.values.size() == reports.rows * reports.columns);
    for (double& value : reports.values) {
      if (!std::isnan(value)) value = std::clamp(value, -largest_report, largest_report);
    }
    if (by_mean_) return impute_by_column(std::move(reports), ColumnFill::mean, unjudged);
    return impute_iteratively(reports, ColumnFill::median, unjudged);
  }

  /// Classes of which some validator holds samples; an attack on another class goes unseen.
  static std::size_t classes_judged(const DenseMatrix& reports, int classes) {
    std::size_t judged = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(classes) && reports.rows > 0; ++c) {
      judged += reports(0, c) == unjudged ? 0 : 1;
    }
    return judged;
  }

  /// Section 4.4: drops the reports that lie apart from the others.
  std::vector<std::size_t> honest_reports(const DenseMatrix& reports, Stream& random) const {
    std::vector<std::size_t> kept = all_rows(reports.rows);
    if (reports.rows < 3) return kept;
    if (as_code_) {
      const std::vector<std::size_t> labels = kmeans(squared_distances(reports), 2, random).labels;
      const std::vector<std::size_t> sizes = cluster_sizes(labels);
      const std::size_t majority = sizes.size() > 1 && sizes[1] > sizes[0] ? 1 : 0;
      std::erase_if(kept, [&](std::size_t v) { return labels[v] != majority; });
      return kept;
    }
    const auto found = elliptic_envelope(reports, {.contamination = contamination_, .support_fraction = {}}, random);
    std::erase_if(kept,
                  [&](std::size_t v) { return std::binary_search(found.outliers.begin(), found.outliers.end(), v); });
    return kept;
  }

  /// Figure 16: the gain in the class that gains least.
  static std::vector<double> scores_of(const DenseMatrix& reports, std::span<const std::size_t> honest,
                                       std::size_t representatives) {
    const std::size_t classes = reports.columns / representatives;
    std::vector<double> scores(representatives, std::numeric_limits<double>::max());
    for (std::size_t k = 0; k < reports.columns; ++k) {
      double sum = 0.0;
      for (const std::size_t v : honest) sum += reports(v, k);
      scores[k / classes] = std::min(scores[k / classes], sum / static_cast<double>(honest.size()));
    }
    return scores;
  }

  bool clusters_, as_code_, by_mean_;
  double tau_, keep_, contamination_;
};

const Register<Aggregator, FlShield, scenario::FlShield> register_fl_shield;

}  // namespace
}  // namespace souk
