#pragma once

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "aggregators/aggregator.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/random.hpp"
#include "sim/comm/comm.hpp"
#include "tests/support/matrices.hpp"

namespace souk {

/// A loss that can be computed by hand: class c (of `classes`) owns the columns c, c + classes, …; its loss at a step
/// is half the squared distance to `target` in its columns. Errors are 1 - exp(-loss), kappa is exp(-loss).
class QuadraticOracle : public LossOracle {
 public:
  /// Validator v reports nothing (NaN) for class c where `missing` holds (v, c), and minus the truth where `liars` has
  /// v.
  QuadraticOracle(const Comm& comm, std::vector<float> target, int classes = 3, std::size_t validators = 4,
                  std::vector<std::pair<std::size_t, int>> missing = {}, std::vector<std::size_t> liars = {})
      : comm_(comm), target_(std::move(target)), classes_(classes), missing_(std::move(missing)), liars_(liars) {
    for (std::uint32_t v = 0; v < validators; ++v) validators_.push_back({v});
  }

  std::vector<Judgement> on_root(const ColumnMatrix& steps) override {
    std::vector<Judgement> judgements;
    for (const double loss : losses(steps, -1)) judgements.push_back({loss, 1.0 - std::exp(-loss), std::exp(-loss)});
    return judgements;
  }
  ColumnVector root_gradient(const ColumnVector& step) override {
    std::vector<float> whole_step(target_.size());
    replicate(comm_, PanelPlan(target_.size()), step, whole_step);
    for (std::size_t c = 0; c < whole_step.size(); ++c) whole_step[c] -= target_[c];
    return ColumnVector(comm_, whole_step);
  }
  std::vector<double> validator_reports(const ColumnMatrix& steps) override {
    std::vector<double> reports(validators_.size() * steps.rows() * static_cast<std::size_t>(classes_));
    const std::vector<float> nowhere(target_.size(), 0.0F);
    for (int c = 0; c < classes_; ++c) {
      const double before = loss(nowhere, c);
      const std::vector<double> after = losses(steps, c);
      for (std::size_t v = 0; v < validators_.size(); ++v) {
        for (std::size_t s = 0; s < after.size(); ++s) {
          double report = before - after[s];
          for (const std::size_t liar : liars_) report = liar == v ? -report : report;
          for (const auto& [who, what] : missing_) {
            if (who == v && what == c) report = std::numeric_limits<double>::quiet_NaN();
          }
          reports[(v * after.size() + s) * static_cast<std::size_t>(classes_) + static_cast<std::size_t>(c)] = report;
        }
      }
    }
    return reports;
  }
  std::span<const AgentId> validators() const override { return validators_; }
  /// exp of the sum of a class's columns of the step, the same for every input.
  std::vector<double> noise_ratios(const ColumnMatrix& steps, std::size_t, std::uint16_t) override {
    std::vector<double> ratios;
    for (const auto& row : rows_of(steps)) {
      for (int c = 0; c < classes_; ++c) {
        double sum = 0.0;
        for (std::size_t k = static_cast<std::size_t>(c); k < row.size(); k += static_cast<std::size_t>(classes_)) {
          sum += static_cast<double>(row[k]);
        }
        ratios.push_back(std::exp(std::tanh(sum)));
      }
    }
    return ratios;
  }
  int classes() const override { return classes_; }
  Rows rows_of(const ColumnMatrix& steps) const {
    const std::size_t d = target_.size();
    const std::vector<RowRange> everything(static_cast<std::size_t>(comm_.size()), RowRange{0, steps.rows()});
    const std::vector<float> values = gather_rows(comm_, steps, everything);
    Rows rows;
    for (std::size_t s = 0; s < steps.rows(); ++s) {
      rows.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(s * d),
                        values.begin() + static_cast<std::ptrdiff_t>((s + 1) * d));
    }
    return rows;
  }

 private:
  double loss(const std::vector<float>& step, int only) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < step.size(); ++k) {
      if (only >= 0 && static_cast<int>(k) % classes_ != only) continue;
      const double difference = static_cast<double>(step[k]) - static_cast<double>(target_[k]);
      sum += 0.5 * difference * difference;
    }
    return sum;
  }
  std::vector<double> losses(const ColumnMatrix& steps, int only) const {
    std::vector<double> result;
    for (const auto& row : rows_of(steps)) result.push_back(loss(row, only));
    return result;
  }
  Comm comm_;
  std::vector<float> target_;
  int classes_;
  std::vector<std::pair<std::size_t, int>> missing_;
  std::vector<std::size_t> liars_;
  std::vector<AgentId> validators_;
};

/// A rule from the text of its message: make_rule("krum { f: 1 }").
inline std::unique_ptr<Aggregator> make_rule(const std::string& text) {
  scenario::Aggregator config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return make_aggregator(config);
}

/// Everything a round may hand to a rule; what is left empty gets a default that any rule can work with.
struct RuleRound {
  Rows rows;
  std::size_t tolerated_f = 0;
  std::uint32_t round = 1;
  std::vector<std::uint64_t> samples{};  ///< empty: 10 each
  std::vector<std::uint32_t> agents{};   ///< empty: 0, 1, …
  std::vector<float> global{};           ///< empty: 0
  std::vector<float> root_update{};      ///< empty: the mean of the rows
  LossOracle* losses = nullptr;          ///< null: quadratic about the root update
  RuleLog* log = nullptr;                ///< null: nobody reads it
};

/// What a rule decides, whole.
struct Outcome {
  std::vector<float> step;
  std::vector<double> weights, scores;
  std::map<std::string, double> diagnostics;
  bool restart = false, by_coordinate = false;
  bool operator==(const Outcome&) const = default;
};

/// Body, then a last layer of 4 classes if d leaves room for it.
inline ParameterLayout toy_layout(std::size_t d) {
  if (d < 32) return ParameterLayout({{.name = "all", .shape = {static_cast<std::int64_t>(d)}}});
  const auto body = static_cast<std::int64_t>(d) - 24;
  return ParameterLayout({{.name = "body.weight", .shape = {body}},
                          {.name = "fc.weight", .shape = {4, 5}},
                          {.name = "fc.bias", .shape = {4}}});
}

inline Outcome run_rule(Aggregator& rule, const Comm& comm, const RuleRound& round) {
  const std::size_t d = round.rows.front().size();
  const TestMatrix matrix(comm, round.rows);
  std::vector<Submission> submissions;
  for (std::uint32_t i = 0; i < round.rows.size(); ++i) {
    submissions.push_back(
        {{round.agents.empty() ? i : round.agents[i]}, round.samples.empty() ? 10 : round.samples[i]});
  }
  std::vector<float> root = round.root_update;
  if (root.empty()) {
    const std::vector<double> alike(round.rows.size(), 1.0 / static_cast<double>(round.rows.size()));
    root = whole(comm, matrix.columns(), combine(matrix.columns(), alike));
  }
  const ColumnVector root_update(comm, root);
  const ColumnVector global(comm, round.global.empty() ? std::vector<float>(d, 0.0F) : round.global);
  QuadraticOracle quadratic(comm, root, 4);
  const ParameterLayout layout = toy_layout(d);
  Stream random(5, StreamKey{Purpose::aggregation, nobody, {round.round}});
  const RuleOutput output = rule.aggregate({.comm = comm,
                                            .round = {round.round},
                                            .submissions = submissions,
                                            .updates = matrix.columns(),
                                            .random = random,
                                            .tolerated_f = round.tolerated_f,
                                            .global = &global,
                                            .root_update = &root_update,
                                            .losses = round.losses == nullptr ? &quadratic : round.losses,
                                            .layout = &layout,
                                            .log = round.log});
  return {whole(comm, matrix.columns(), output.step),
          output.weights,
          output.scores,
          output.diagnostics,
          output.restart,
          output.by_coordinate};
}

inline Outcome run_rule(const std::string& text, const RuleRound& round) {
  return run_rule(*make_rule(text), Comm::self(), round);
}

/// Mean of some rows, in double.
inline std::vector<float> mean_of_rows(const Rows& rows, const std::vector<std::size_t>& which) {
  std::vector<float> mean(rows.front().size());
  for (std::size_t c = 0; c < mean.size(); ++c) {
    double sum = 0.0;
    for (const std::size_t i : which) sum += static_cast<double>(rows[i][c]);
    mean[c] = static_cast<float>(sum / static_cast<double>(which.size()));
  }
  return mean;
}

inline void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t c = 0; c < a.size(); ++c) ASSERT_NEAR(a[c], b[c], tolerance) << c;
}

}  // namespace souk
