#include <algorithm>
#include <array>
#include <cstdint>

#include "aggregators/rule_tools.hpp"
#include "aggregators/two_means.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// What being above or at most the cut of a column counts, 0 or 1.
struct Membership {
  std::array<float, tile_columns> cut;
  std::array<std::int32_t, tile_columns> low, high;
};

SOUK_MULTIVERSION std::int32_t memberships(const float* row, const Membership& columns) {
  std::int32_t count = 0;
  for (std::size_t c = 0; c < tile_columns; ++c) count += row[c] <= columns.cut[c] ? columns.low[c] : columns.high[c];
  return count;
}

/// Columns in which the clients fall into two groups, and how often each client is in the smaller one.
class Observation {
 public:
  /// Collective.
  Observation(const RuleInput& input, double alpha)
      : alpha_(alpha), n_(input.updates.rows()), split_(n_), tile_(n_ * tile_columns), sorted_(n_ * tile_columns) {
    std::vector<double> counts(input.updates.panels().size() * (n_ + 1), 0.0);
    double* of_panel = counts.data();
    for (const Panel& panel : input.updates.panels()) {
      for (std::size_t begin = 0; begin < panel.columns.size(); begin += tile_columns) count(panel, begin, of_panel);
      of_panel += n_ + 1;
    }
    sums_ = sum_over_panels(input.comm, input.updates.plan(), counts, n_ + 1);
  }
  double indicative() const { return sums_[n_]; }
  double in_minority(std::size_t i) const { return sums_[i]; }

 private:
  void count(const Panel& panel, std::size_t begin, double* counts) {
    heartbeat::beat();
    const std::size_t width = std::min(tile_columns, panel.columns.size() - begin);
    for (std::size_t i = 0; i < n_; ++i) std::copy_n(panel.row(i).data() + begin, width, &tile_[i * tile_columns]);
    for (std::size_t i = 0; i < n_; ++i) {  // columns beyond the panel: all values equal
      std::fill_n(&tile_[i * tile_columns + width], tile_columns - width, 0.0F);
    }
    sorted_ = tile_;
    const TwoMeans clusters = split_.split(sorted_.data());
    Membership minority{.cut = clusters.cut, .low = {}, .high = {}};
    for (std::size_t c = 0; c < tile_columns; ++c) {
      if (!(clusters.distance[c] > alpha_)) continue;
      counts[n_] += 1.0;
      const double high_count = static_cast<double>(n_) - clusters.low_count[c];
      minority.low[c] = clusters.low_count[c] < high_count;
      minority.high[c] = high_count < clusters.low_count[c];
    }
    for (std::size_t i = 0; i < n_; ++i) counts[i] += memberships(&tile_[i * tile_columns], minority);
  }

  double alpha_;
  std::size_t n_;
  ColumnTwoMeans split_;
  std::vector<float> tile_, sorted_;
  std::vector<double> sums_;  ///< [n + 1], the last: indicative columns
};

/// Shen, Tople, Saxena, "Auror: Defending Against Poisoning Attacks in Collaborative Deep Learning Systems", ACSAC
/// 2016, section 4. Counts of all observed rounds are added up, a parameter per round being one; while the clients are
/// observed, whom the round alone convicts is left out of it as well.
class Auror final : public Aggregator {
 public:
  explicit Auror(const scenario::Auror& config)
      : alpha_(config.alpha()), tau_(config.tau()), observed_rounds_(config.observed_rounds()) {}

  RuleNeeds needs() const override { return {.memory = true, .history = true}; }
  RulePreserves preserves() const override { return {.scale = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.held = 2.0 * client_number_bytes * static_cast<double>(scale.clients), .working = scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    std::vector<bool> malicious(input.updates.rows(), false);
    double indicative = 0.0;
    if (rounds_ < observed_rounds_) {
      const Observation observation(input, alpha_);
      indicative = observation.indicative();
      for (std::size_t i = 0; i < malicious.size(); ++i) {
        in_minority_.of(input.submissions[i].agent) += observation.in_minority(i);
        indicative_.of(input.submissions[i].agent) += indicative;
        malicious[i] = observation.in_minority(i) > tau_ * indicative;
      }
      ++rounds_;
    }
    std::vector<double> scores;
    std::vector<std::size_t> accepted;
    for (std::size_t i = 0; i < malicious.size(); ++i) {
      const double minority = in_minority_.of(input.submissions[i].agent);
      const double all = indicative_.of(input.submissions[i].agent);
      scores.push_back(all > 0.0 ? 1.0 - minority / all : 1.0);
      if (!malicious[i] && minority <= tau_ * all) accepted.push_back(i);
    }
    RuleOutput output = mean_of(input, accepted);
    output.scores = std::move(scores);
    output.diagnostics["indicative_parameters"] = indicative;
    return output;
  }

  void serialize(Archive& archive, const Comm&) override {
    archive.field("observed rounds", rounds_);
    in_minority_.serialize(archive);
    indicative_.serialize(archive);
  }

 private:
  double alpha_, tau_;
  std::int64_t observed_rounds_;
  std::int64_t rounds_ = 0;  ///< observed so far
  ClientNumbers in_minority_{"parameters in the minority"};
  ClientNumbers indicative_{"indicative parameters"};
};

const Register<Aggregator, Auror, scenario::Auror> register_auror;

}  // namespace
}  // namespace souk
