#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "aggregators/rule_tools.hpp"
#include "aggregators/stats/gap_statistic.hpp"
#include "aggregators/stats/kmeans_1d.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/agent_vectors.hpp"
#include "sim/params/columnwise.hpp"
#include "sim/params/hessian_history.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// Zhang, Cao, Jia, Gong, "FLDetector: Defending Federated Learning Against Model Poisoning Attacks via Detecting
/// Malicious Clients", KDD 2022, Algorithms 1 and 2. Updates stand for gradients: both sides of the prediction change
/// sign alike.
class FlDetector final : public Aggregator {
 public:
  explicit FlDetector(const scenario::FlDetector& config)
      : window_(config.window()),
        hessian_(config.window()),
        start_(config.start_round()),
        by_median_(config.base() == scenario::FlDetector::MEDIAN),
        max_clusters_(config.max_clusters()),
        references_(config.references()),
        restarts_(config.restart()) {}

  RuleNeeds needs() const override { return {.memory = true, .history = true, .everyone = true}; }
  RulePreserves preserves() const override { return {.translation = true}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.held = (static_cast<double>(scale.clients) + 2.0 + 2.0 * static_cast<double>(window_)) * scale.vector(),
            .working = 4.0 * scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    dimension_ = input.updates.dimension();
    ++rounds_;
    const ColumnVector global = input.global == nullptr ? ColumnVector(input.updates) : *input.global;
    if (rounds_ > 1) score_clients(input, difference(global, last_global_));
    const std::size_t found = rounds_ >= start_ ? detect(input) : 0;

    std::vector<std::size_t> trusted;
    std::vector<double> scores;
    for (std::size_t i = 0; i < input.updates.rows(); ++i) {
      if (!detected_.contains(input.submissions[i].agent.value)) trusted.push_back(i);
      scores.push_back(-mean_score(input.submissions[i].agent));
    }
    RuleOutput output = base(input, trusted);
    output.scores = std::move(scores);
    output.diagnostics = {{"detected", static_cast<double>(detected_.size())}};
    output.restart = found > 0 && restarts_;
    output.restart ? forget() : remember(input, global, output.step);
    return output;
  }

  void serialize(Archive& archive, const Comm& comm) override {
    auto dimension = static_cast<std::int64_t>(dimension_);
    std::vector<std::int64_t> detected(detected_.begin(), detected_.end());
    archive.field("dimension", dimension);
    archive.field("rounds", rounds_);
    archive.field("detected", detected);
    dimension_ = static_cast<std::size_t>(dimension);
    detected_ = {detected.begin(), detected.end()};
    const std::size_t kept = rounds_ > 0 ? dimension_ : 0;  // nothing is remembered before the first round
    hessian_.serialize(archive, comm, dimension_);
    serialize_columns(archive, "global", comm, kept, last_global_);
    serialize_columns(archive, "aggregate", comm, kept, last_aggregate_);
    last_updates_.serialize(archive, comm);
    serialize_scores(archive);
  }

 private:
  RuleOutput base(const RuleInput& input, std::span<const std::size_t> rows) const {
    if (!by_median_ || rows.empty()) return mean_of(input, rows);
    return {.step = median_of_columns(input.updates.select(input.comm, rows)),
            .weights = weights_of(rows, input.updates.rows()),
            .scores = {},
            .diagnostics = {}};
  }

  /// Distance of every update to its prediction, as a share of all distances.
  void score_clients(const RuleInput& input, const ColumnVector& moved) {
    const ColumnVector expected = hessian_.times(input.comm, input.updates, moved);
    std::vector<std::size_t> known;
    for (std::size_t i = 0; i < input.updates.rows(); ++i) {
      if (last_updates_.has(input.submissions[i].agent)) known.push_back(i);
    }
    std::vector<double> partials(input.updates.panels().size() * known.size(), 0.0);
    double* sums = partials.data();
    for (const Panel& panel : input.updates.panels()) {
      for (const std::size_t i : known) {
        heartbeat::beat();
        const auto last = last_updates_.of(input.submissions[i].agent, input.updates).panel(panel);
        const auto change = expected.panel(panel);
        const auto now = panel.row(i);
        double sum = 0.0;
        for (std::size_t c = 0; c < now.size(); ++c) {
          const double error =
              static_cast<double>(last[c]) + static_cast<double>(change[c]) - static_cast<double>(now[c]);
          sum += error * error;
        }
        *sums++ = sum;
      }
    }
    std::vector<double> distances = sum_over_panels(input.comm, input.updates.plan(), partials, known.size());
    for (double& value : distances) value = std::sqrt(value);
    distances = shares_of(distances);
    for (std::size_t k = 0; k < known.size(); ++k) {
      auto& history = scores_[input.submissions[known[k]].agent.value];
      history.push_back(distances[k]);
      if (history.size() > window_) history.erase(history.begin());
    }
  }

  double mean_score(AgentId client) const {
    const auto history = scores_.find(client.value);
    if (history == scores_.end() || history->second.empty()) return 0.0;
    double sum = 0.0;
    for (const double score : history->second) sum += score;
    return sum / static_cast<double>(history->second.size());
  }

  /// Clients in the cluster of larger scores, if there is more than one cluster; how many were new.
  std::size_t detect(const RuleInput& input) {
    std::vector<double> scores;
    std::vector<std::uint32_t> clients;
    for (const Submission& submission : input.submissions) {
      if (detected_.contains(submission.agent.value)) continue;
      clients.push_back(submission.agent.value);
      scores.push_back(mean_score(submission.agent));
    }
    if (scores.size() < 2) return 0;
    const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
    const double bottom = *low, range = *high - *low;
    if (range == 0.0) return 0;
    for (double& score : scores) score = (score - bottom) / range;
    if (first_by_gap(gap_statistic(scores, max_clusters_, references_, input.random)) < 2) return 0;
    const std::vector<std::size_t> labels = kmeans_1d(scores, 2).labels;
    const std::size_t before = detected_.size();
    for (std::size_t k = 0; k < labels.size(); ++k) {
      if (labels[k] == 1) detected_.insert(clients[k]);
    }
    return detected_.size() - before;
  }

  void remember(const RuleInput& input, const ColumnVector& global, const ColumnVector& aggregate) {
    if (rounds_ > 1) {
      hessian_.add(difference(global, last_global_), difference(aggregate, last_aggregate_));
    }
    last_global_ = global;
    last_aggregate_ = aggregate;
    for (std::size_t i = 0; i < input.updates.rows(); ++i) {
      const auto row = input.updates.row(i);
      std::copy(row.begin(), row.end(), last_updates_.of(input.submissions[i].agent, input.updates).values().begin());
    }
  }

  /// Everything but who was detected: training starts anew.
  void forget() {
    rounds_ = 0;
    hessian_.clear();
    scores_.clear();
    last_updates_ = {};
    last_global_ = last_aggregate_ = {};
  }

  void serialize_scores(Archive& archive) {
    std::vector<std::int64_t> clients, counts;
    std::vector<double> values;
    for (const auto& [client, history] : scores_) {
      clients.push_back(client);
      counts.push_back(static_cast<std::int64_t>(history.size()));
      values.insert(values.end(), history.begin(), history.end());
    }
    archive.field("score clients", clients);
    archive.field("score counts", counts);
    archive.field("scores", values);
    scores_.clear();
    auto next = values.begin();
    for (std::size_t k = 0; k < clients.size(); ++k) {
      SOUK_REQUIRE(counts[k] >= 0 && counts[k] <= values.end() - next, "saved state: 'scores' ends early");
      scores_[static_cast<std::uint32_t>(clients[k])].assign(next, next + counts[k]);
      next += counts[k];
    }
  }

  std::size_t window_;
  HessianHistory hessian_;  ///< from changes of the global model and of the aggregate
  std::int64_t start_;
  bool by_median_;
  std::size_t max_clusters_, references_;
  bool restarts_;
  std::size_t dimension_ = 0;
  std::int64_t rounds_ = 0;  ///< since training started
  ColumnVector last_global_, last_aggregate_;
  AgentVectors last_updates_;
  std::map<std::uint32_t, std::vector<double>> scores_;  ///< last ones, oldest first
  std::set<std::uint32_t> detected_;
};

const Register<Aggregator, FlDetector, scenario::FlDetector> register_fl_detector;

}  // namespace
}  // namespace souk
