#include <algorithm>
#include <cmath>
#include <numeric>

#include "aggregators/rule_tools.hpp"
#include "aggregators/stats/gap_statistic.hpp"
#include "aggregators/stats/kmeans_1d.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

constexpr std::size_t nobody_here = static_cast<std::size_t>(-1);

/// Cosines of the updates to a baseline, every value first clamped to [-limit, limit].
std::vector<double> cosines_to(const RuleInput& input, std::span<const float> baseline, float limit) {
  const std::size_t n = input.updates.rows();
  const std::size_t values = 2 * n + 1;  // products, squares, square of the baseline
  std::vector<double> partials(input.updates.panels().size() * values, 0.0);
  double* sums = partials.data();
  for (const Panel& panel : input.updates.panels()) {
    const std::span<const float> base = baseline.subspan(panel.offset, panel.columns.size());
    for (std::size_t i = 0; i <= n; ++i) {
      heartbeat::beat();
      const std::span<const float> row = i < n ? panel.row(i) : base;
      double product = 0.0, square = 0.0;
      for (std::size_t c = 0; c < row.size(); ++c) {
        const auto value = static_cast<double>(std::clamp(row[c], -limit, limit));
        product += value * static_cast<double>(std::clamp(base[c], -limit, limit));
        square += value * value;
      }
      sums[i] = i < n ? product : square;
      if (i < n) sums[n + 1 + i] = square;
    }
    sums += values;
  }
  const std::vector<double> totals = sum_over_panels(input.comm, input.updates.plan(), partials, values);
  std::vector<double> cosines;
  for (std::size_t i = 0; i < n; ++i) {
    const double lengths = std::sqrt(totals[n]) * std::sqrt(totals[n + 1 + i]);
    cosines.push_back(std::clamp(cosine_of(totals[i], lengths), -1.0, 1.0));
  }
  return cosines;
}

/// What outlier removal decides.
struct OutlierRemoval {
  std::vector<double> quality;          ///< [n] K, 0 to 1
  std::vector<std::size_t> bought;      ///< ascending
  std::vector<std::size_t> candidates;  ///< ascending; for the next baseline
  std::size_t clusters = 1;
};

/// Li, Liu, Li, Xu, "martFL: Enabling Utility-Driven Data Marketplace with a Robust and Verifiable Federated Learning
/// Architecture", CCS 2023, Algorithm 1. The scores of everybody but the baseline are clustered: the baseline's own
/// cosine, always 1, says nothing.
class MartFl final : public Aggregator {
 public:
  explicit MartFl(const scenario::MartFl& config)
      : as_code_(config.variant() == scenario::MartFl::CODE),
        adjusts_(config.adjust_baseline()),
        candidates_(config.candidates()),
        threshold_(config.threshold()),
        max_clusters_(config.max_clusters()),
        references_(config.references()) {}

  RuleNeeds needs() const override {
    return {.root_update = true, .root_data = adjusts_, .memory = adjusts_, .history = adjusts_};
  }
  RulePreserves preserves() const override { return {.scale = !as_code_, .translation = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.vector(), .candidates = adjusts_ ? scale.updates : 0};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t baseline = row_of_baseline(input);
    const std::span<const float> reference =
        baseline == nobody_here ? input.root_update->values() : input.updates.row(baseline);
    const float limit = as_code_ ? 0.01F : std::numeric_limits<float>::max();
    const std::vector<double> scores = cosines_to(input, reference, limit);
    const OutlierRemoval removal = remove_outliers(scores, baseline, input.random);
    RuleOutput output = weighted_sum(input, shares_of(removal.quality));
    output.scores = scores;
    output.diagnostics = {{"clusters", static_cast<double>(removal.clusters)},
                          {"bought", static_cast<double>(removal.bought.size())},
                          {"baseline", static_cast<double>(baseline_)}};
    if (adjusts_) choose_baseline(input, removal.candidates);
    return output;
  }

  void serialize(Archive& archive, const Comm&) override { archive.field("baseline", baseline_); }

 private:
  /// The server's own update is the baseline where the chosen client is not there.
  std::size_t row_of_baseline(const RuleInput& input) {
    for (std::size_t i = 0; i < input.submissions.size(); ++i) {
      if (static_cast<std::int64_t>(input.submissions[i].agent.value) == baseline_) return i;
    }
    baseline_ = -1;
    return nobody_here;
  }

  OutlierRemoval remove_outliers(const std::vector<double>& scores, std::size_t baseline, Stream& random) const {
    const std::size_t n = scores.size();
    std::vector<std::size_t> others = all_rows(n);
    std::erase(others, baseline);
    OutlierRemoval removal{.quality = std::vector<double>(n, 1.0), .bought = all_rows(n), .candidates = all_rows(n)};
    if (others.empty()) return removal;
    std::vector<double> judged;
    for (const std::size_t i : others) judged.push_back(scores[i]);
    removal.clusters = clusters_of(judged, random);
    if (removal.clusters == 1 && !as_code_) return removal;
    const Grades grades = grade(judged, removal.clusters);
    removal.quality.assign(n, 0.0);
    removal.bought.clear();
    for (std::size_t k = 0; k < others.size(); ++k) {
      removal.quality[others[k]] = grades.quality[k];
      if (grades.group[k] != Group::low) removal.bought.push_back(others[k]);
    }
    as_code_ ? draw_candidates(others, grades, removal, random) : add_candidates(n, grades, removal, random);
    return removal;
  }

  enum class Group : std::uint8_t { low, middling, top };

  /// Of everybody but the baseline.
  struct Grades {
    std::vector<Group> group;
    std::vector<double> quality;  ///< 1 for the top group, 0 for the low one
    std::size_t count(Group of) const { return static_cast<std::size_t>(std::ranges::count(group, of)); }
  };

  Grades grade(const std::vector<double>& judged, std::size_t clusters) const {
    const KMeans1d fine = kmeans_1d(judged, clusters);
    std::vector<std::size_t> coarse = as_code_ || clusters > 2 ? kmeans_1d(judged, 2).labels : fine.labels;
    if (clusters == 1) coarse.assign(judged.size(), 1);  // nobody is low
    const std::size_t low = clusters == 1 ? clusters : 0;
    const double best = fine.centroids.back();
    const double farthest = farthest_from(best, judged, fine.labels, coarse, low);
    Grades grades;
    for (std::size_t k = 0; k < judged.size(); ++k) {
      const bool rejected = fine.labels[k] == low || coarse[k] == 0 || (as_code_ && judged[k] == 0.0);
      const bool top = fine.labels[k] == fine.centroids.size() - 1;
      grades.group.push_back(rejected ? Group::low : (top ? Group::top : Group::middling));
      const double middling = std::max(0.0, 1.0 - std::abs(judged[k] - best) / farthest);
      grades.quality.push_back(rejected ? 0.0 : (top ? 1.0 : middling));
    }
    return grades;
  }

  /// How many clusters the scores form; one that is too wide counts as two. The repository takes the width after a
  /// score of 0 was put in for the server and the baseline.
  std::size_t clusters_of(const std::vector<double>& scores, Stream& random) const {
    const GapStatistic statistic =
        gap_statistic(scores, as_code_ ? max_clusters_ : max_clusters_ + 1, as_code_ ? 3 : references_, random);
    const std::size_t found = std::min(as_code_ ? largest_by_gap(statistic) : first_by_gap(statistic), max_clusters_);
    auto [low, high] = std::minmax_element(scores.begin(), scores.end());
    double width = *high - *low;
    if (as_code_) width = std::max(0.0, *high) - std::min(0.0, *low);
    return found == 1 && width > threshold_ ? 2 : found;
  }

  /// The largest distance to the best centroid: of all scores, in the repository of those not rejected.
  double farthest_from(double best, const std::vector<double>& scores, const std::vector<std::size_t>& fine,
                       const std::vector<std::size_t>& coarse, std::size_t low) const {
    double farthest = 0.0;
    for (std::size_t k = 0; k < scores.size(); ++k) {
      if (as_code_ && (fine[k] == low || coarse[k] == 0)) continue;
      farthest = std::max(farthest, std::abs(scores[k] - best));
    }
    return as_code_ ? farthest + 1e-6 : std::max(farthest, std::numeric_limits<double>::min());
  }

  /// Nobody is middling and too few are good: some of the others compete for the next baseline. They are bought with
  /// weight 0.
  void add_candidates(std::size_t n, const Grades& grades, OutlierRemoval& removal, Stream& random) const {
    if (grades.count(Group::middling) == 0 && 2 * removal.bought.size() < n) {
      for (const std::size_t i : drawn(without(all_rows(n), removal.bought), n, random)) removal.bought.push_back(i);
      std::sort(removal.bought.begin(), removal.bought.end());
    }
    removal.candidates = removal.bought;
  }

  /// The repository's: the top group, or everybody where it is empty, and some of the middling; some of all others
  /// where nobody is middling and too few are good. Its participants are the clients and the server.
  void draw_candidates(const std::vector<std::size_t>& others, const Grades& grades, OutlierRemoval& removal,
                       Stream& random) const {
    const std::size_t participants = removal.quality.size() + 1;
    std::vector<std::size_t> top, middling;
    for (std::size_t k = 0; k < others.size(); ++k) {
      if (grades.group[k] == Group::top) top.push_back(others[k]);
      if (grades.group[k] == Group::middling) middling.push_back(others[k]);
    }
    removal.candidates = top.empty() ? others : top;
    std::vector<std::size_t> rest = without(middling, removal.candidates);
    if (rest.empty() && 2 * removal.candidates.size() < participants) rest = without(others, removal.candidates);
    for (const std::size_t i : drawn(rest, participants, random)) removal.candidates.push_back(i);
    std::sort(removal.candidates.begin(), removal.candidates.end());
  }

  static std::vector<std::size_t> without(std::vector<std::size_t> rows, const std::vector<std::size_t>& sorted) {
    std::erase_if(rows, [&](std::size_t i) { return std::binary_search(sorted.begin(), sorted.end(), i); });
    return rows;
  }

  /// The share `candidates` of `n`, rounded down, at random from `rows`; all where there are fewer.
  std::vector<std::size_t> drawn(const std::vector<std::size_t>& rows, std::size_t n, Stream& random) const {
    std::vector<std::uint32_t> order(rows.begin(), rows.end());
    random.shuffle(order);
    order.resize(std::min(order.size(), static_cast<std::size_t>(candidates_ * static_cast<double>(n) + 1e-9)));
    return {order.begin(), order.end()};
  }

  /// The best kappa on the root data. The repository takes none that is not above 0, and the first client instead.
  void choose_baseline(const RuleInput& input, std::span<const std::size_t> candidates) {
    baseline_ = as_code_ ? input.submissions.front().agent.value : -1;
    if (candidates.empty()) return;
    const std::vector<Judgement> judged = input.losses->on_root(input.updates.select(input.comm, candidates));
    double best = as_code_ ? 0.0 : -std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < judged.size(); ++k) {
      if (!(judged[k].skill > best)) continue;
      best = judged[k].skill;
      baseline_ = input.submissions[candidates[k]].agent.value;
    }
  }

  bool as_code_, adjusts_;
  double candidates_, threshold_;
  std::size_t max_clusters_, references_;
  std::int64_t baseline_ = -1;  ///< client whose update is the baseline; -1: the server's own
};

const Register<Aggregator, MartFl, scenario::MartFl> register_mart_fl;

}  // namespace
}  // namespace souk
