#include "agents/evaluator.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {

void Evaluator::test_own_batches(const Comm& comm, Network& network, std::span<const float> parameters) {
  own_.clear();
  for (auto b = static_cast<std::size_t>(comm.rank()); b < batches(); b += static_cast<std::size_t>(comm.size())) {
    const std::size_t begin = b * batch_size_;
    const auto which = std::span(samples_).subspan(begin, std::min(batch_size_, samples_.size() - begin));
    const TestCounts counts = test_batch(network, parameters, test_, which);
    own_.push_back(counts.loss_sum);
    own_.insert(own_.end(), counts.correct.begin(), counts.correct.end());
    own_.insert(own_.end(), counts.samples.begin(), counts.samples.end());
    test_triggered(network, parameters, which, counts.answers);
    heartbeat::beat();
  }
}

void Evaluator::test_triggered(Network& network, std::span<const float> parameters, std::span<const SampleIndex> which,
                               std::span<const std::int32_t> answers) {
  if (triggered_.empty()) return;
  const auto classes = static_cast<std::size_t>(test_.classes());
  std::vector<float> features(which.size() * test_.features()), logits(which.size() * classes);
  std::vector<std::int32_t> labels, goals(which.size());
  for (const SampleIndex sample : which) labels.push_back(test_.labels()[sample]);
  for (const TriggeredTest& attack : triggered_) {
    test_.copy_features(which, features);
    attack(features, labels, goals);
    network.logits(parameters, {.features = features, .labels = {}, .samples = which.size()}, logits);
    const std::vector<std::int32_t> attacked = predicted_classes(logits, classes);
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
  const auto classes = static_cast<std::size_t>(test_.classes());
  const auto ranks = static_cast<std::size_t>(comm.size());
  const std::vector<double> all = comm.all_gather(std::span<const double>(own_));
  std::vector<std::size_t> begin_of_rank(ranks, 0);
  for (std::size_t r = 1; r < ranks; ++r) begin_of_rank[r] = begin_of_rank[r - 1] + (batches() + ranks - r) / ranks;
  std::vector<double> sums(width(), 0.0);
  for (std::size_t b = 0; b < batches(); ++b) {
    const double* row = &all[(begin_of_rank[b % ranks] + b / ranks) * width()];
    for (std::size_t v = 0; v < width(); ++v) sums[v] += row[v];
  }
  TestResult result;
  double correct = 0.0;
  double samples = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    correct += sums[1 + c];
    samples += sums[1 + classes + c];
    result.accuracy_of_class.push_back(sums[1 + c] / sums[1 + classes + c]);  // 0/0 is NaN: no sample of the class
  }
  result.loss = sums[0] / samples;
  result.accuracy = correct / samples;
  for (std::size_t t = 0; t < triggered_.size(); ++t) {
    const double* counts = &sums[1 + 2 * classes + 4 * t];
    result.attacks.push_back({counts[1] / counts[0], counts[3] / counts[2]});  // 0/0 is NaN: nothing attacked
  }
  return result;
}

std::vector<SampleIndex> all_samples(const Dataset& data) {
  std::vector<SampleIndex> samples(data.size());
  std::iota(samples.begin(), samples.end(), SampleIndex{0});
  return samples;
}

StopTests::StopTests(const scenario::Evaluation& config)
    : target_(config.target_accuracy()),
      min_improvement_(config.min_improvement()),
      stop_at_target_(config.stop_at_target()),
      patience_(config.patience()),
      best_loss_(std::numeric_limits<double>::infinity()) {}

std::optional<std::string> StopTests::note(const TestResult& result) {
  first_at_target_ = target_ > 0.0 && reached_ == 0 && result.accuracy >= target_;
  if (first_at_target_) reached_ = 1;
  if (result.loss < best_loss_ - min_improvement_) {
    best_loss_ = result.loss;
    tests_without_improvement_ = 0;
  } else {
    ++tests_without_improvement_;
  }
  if (stop_at_target_ && first_at_target_) return "target";
  if (patience_ > 0 && tests_without_improvement_ >= patience_) return "patience";
  return std::nullopt;
}

void StopTests::serialize(Archive& archive) {
  archive.field("target reached", reached_);
  archive.field("tests without improvement", tests_without_improvement_);
  archive.field("best loss", best_loss_);
}

}  // namespace souk
