#include "agents/training/evaluator.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/learn/tasks/classification.hpp"

namespace souk {

void Evaluator::test_own_batches(const Comm& comm, std::span<const float> parameters) {
  own_.clear();
  std::vector<double> sums(task_.tally_size());
  for (auto b = static_cast<std::size_t>(comm.rank()); b < batches(); b += static_cast<std::size_t>(comm.size())) {
    const std::size_t begin = b * batch_size_;
    const auto which = std::span(units_).subspan(begin, std::min(batch_size_, units_.size() - begin));
    task_.tally(parameters, split_, which, sums);
    own_.insert(own_.end(), sums.begin(), sums.end());
    if (!triggered_.empty()) test_triggered(parameters, which);
    heartbeat::beat();
  }
}

std::vector<std::int32_t> Evaluator::answers_to(std::span<const float> parameters, std::span<const float> rows,
                                                std::size_t count) const {
  const auto classes = static_cast<std::size_t>(task_.classes());
  std::vector<float> logits(count * classes);
  task_.rows()->answers(parameters, {.features = rows, .samples = count}, logits);
  return predicted_classes(logits, classes);
}

/// Of the batch that was tallied last.
void Evaluator::test_triggered(std::span<const float> parameters, UnitSet which) {
  const auto classes = static_cast<std::size_t>(task_.classes());
  const std::vector<std::int32_t> answers = predicted_classes(task_.outputs(), classes);
  std::vector<float> features;
  std::vector<std::int32_t> labels, goals(which.size());
  for (const SampleIndex sample : which) labels.push_back(task_.labels(split_)[sample]);
  for (const TriggeredTest& attack : triggered_) {
    if (task_.rows() != nullptr) {
      features.resize(which.size() * task_.rows()->data(split_).features());
      task_.rows()->data(split_).copy_features(which, features);
    }
    attack(features, labels, goals);
    // Where there are no rows that a trigger could change, what it asks about are the answers that are known.
    const std::vector<std::int32_t> attacked =
        task_.rows() != nullptr ? answers_to(parameters, features, which.size()) : answers;
    std::array<double, 4> counts{};
    for (std::size_t i = 0; i < which.size(); ++i) {
      if (goals[i] < 0) continue;
      const double hit = attacked[i] == goals[i] ? 1.0 : 0.0;
      counts[0] += 1.0;
      counts[1] += hit;
      if (answers[i] != labels[i]) continue;
      counts[2] += 1.0;
      counts[3] += hit;
    }
    own_.insert(own_.end(), counts.begin(), counts.end());
  }
}

TestResult Evaluator::gather(const Comm& comm) const {
  const auto ranks = static_cast<std::size_t>(comm.size());
  std::vector<std::size_t> counts, begin_of_rank;
  for (std::size_t r = 0; r < ranks; ++r) {
    const std::size_t of_rank = (batches() + ranks - 1 - r) / ranks;
    begin_of_rank.push_back(r == 0 ? 0 : begin_of_rank.back() + counts.back() / width());
    counts.push_back(of_rank * width());
  }
  std::vector<double> all(batches() * width());
  comm.all_gather_into(std::span<const double>(own_), counts, std::span(all));
  std::vector<double> sums(width(), 0.0);
  for (std::size_t b = 0; b < batches(); ++b) {
    const double* row = &all[(begin_of_rank[b % ranks] + b / ranks) * width()];
    for (std::size_t v = 0; v < width(); ++v) sums[v] += row[v];
  }
  TestResult result{.scores = task_.scores(std::span<const double>(sums).first(task_.tally_size()))};
  for (std::size_t t = 0; t < triggered_.size(); ++t) {
    const double* of_attack = &sums[task_.tally_size() + 4 * t];
    result.attacks.push_back(
        {of_attack[1] / of_attack[0], of_attack[3] / of_attack[2]});  // 0/0 is NaN: nothing attacked
  }
  return result;
}

std::vector<SampleIndex> all_units(const Task& task, Split split) {
  std::vector<SampleIndex> units(task.units(split));
  std::iota(units.begin(), units.end(), SampleIndex{0});
  return units;
}

double target_of(const Task& task, double accuracy, double r2, const std::string& where) {
  const bool classes = task.classes() > 0;
  SOUK_REQUIRE(classes || accuracy == 0.0, "{}target_accuracy = {}: the task has numbers to predict: take target_r2",
               where, accuracy);
  SOUK_REQUIRE(!classes || r2 == 0.0, "{}target_r2 = {}: the task has classes: take target_accuracy", where, r2);
  return classes ? accuracy : r2;
}

StopTests::StopTests(const scenario::Evaluation& config, double target)
    : target_(target),
      min_improvement_(config.min_improvement()),
      stop_at_target_(config.stop_at_target()),
      patience_(config.patience()),
      best_loss_(std::numeric_limits<double>::infinity()) {}

std::optional<Stop> StopTests::note(const Scores& scores) {
  first_at_target_ = target_ > 0.0 && reached_ == 0 && scores.quality >= target_;
  if (first_at_target_) reached_ = 1;
  if (scores.loss < best_loss_ - min_improvement_) {
    best_loss_ = scores.loss;
    tests_without_improvement_ = 0;
  } else {
    ++tests_without_improvement_;
  }
  if (stop_at_target_ && first_at_target_) return Stop::target;
  if (patience_ > 0 && tests_without_improvement_ >= patience_) return Stop::patience;
  return std::nullopt;
}

void StopTests::serialize(Archive& archive) {
  archive.field("target reached", reached_);
  archive.field("tests without improvement", tests_without_improvement_);
  archive.field("best loss", best_loss_);
}

}  // namespace souk
