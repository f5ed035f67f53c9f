#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/comm/comm.hpp"
#include "sim/data/dataset.hpp"
#include "sim/learn/model.hpp"

namespace souk::scenario {
class Evaluation;
}

namespace souk {

class Archive;

/// How often a group of attackers gets what it wants. Rates are NaN where there is nothing to count.
struct AttackSuccess {
  double rate = 0.0;             ///< of the attacked test inputs, those taken for the class the group wants
  double rate_of_correct = 0.0;  ///< the same of those attacked inputs that are classified correctly when left alone
};

/// Turns test inputs into attacked ones: features [samples, features] in place; goals [samples]: the class wanted, or
/// -1 for inputs that are not attacked.
using TriggeredTest =
    std::function<void(std::span<float> features, std::span<const std::int32_t> labels, std::span<std::int32_t> goals)>;

/// Result of a test on the whole test set. The same bits on every rank, for any rank count.
struct TestResult {
  double loss = 0.0;                      ///< mean cross-entropy
  double accuracy = 0.0;                  ///< top-1
  std::vector<double> accuracy_of_class;  ///< [classes], NaN where the test set has no sample of a class
  std::vector<AttackSuccess> attacks{};   ///< [triggered tests]
};

/// Tests models on some samples of a data set: batches of a fixed size, dealt to ranks by index, added up in batch
/// order.
class Evaluator {
 public:
  Evaluator(const Dataset& data, std::vector<SampleIndex> samples, std::size_t batch_size,
            std::vector<TriggeredTest> triggered = {})
      : test_(data), samples_(std::move(samples)), batch_size_(batch_size), triggered_(std::move(triggered)) {}
  /// This rank's batches; does not communicate.
  void test_own_batches(const Comm& comm, Network& network, std::span<const float> parameters);
  /// Adds up what the ranks found. Collective.
  TestResult gather(const Comm& comm) const;

 private:
  std::size_t batches() const { return (samples_.size() + batch_size_ - 1) / batch_size_; }
  void test_triggered(Network& network, std::span<const float> parameters, std::span<const SampleIndex> which,
                      std::span<const std::int32_t> answers);
  /// Numbers per batch: loss sum; correct and samples of every class; of every triggered test: attacked inputs and
  /// hits, all and those correct when left alone.
  std::size_t width() const { return 1 + 2 * static_cast<std::size_t>(test_.classes()) + 4 * triggered_.size(); }
  const Dataset& test_;
  std::vector<SampleIndex> samples_;
  std::size_t batch_size_;
  std::vector<TriggeredTest> triggered_;
  std::vector<double> own_;  ///< [own batches, width()]
};

/// Every sample of a data set.
std::vector<SampleIndex> all_samples(const Dataset& data);

/// When a run ends before its last round.
class StopTests {
 public:
  explicit StopTests(const scenario::Evaluation& config);
  /// Takes note of a test; returns why the run should end now, if it should: "target" or "patience".
  std::optional<std::string> note(const TestResult& result);
  /// Whether this test was the first to reach the target accuracy.
  bool first_at_target() const { return first_at_target_; }
  void serialize(Archive& archive);

 private:
  double target_, min_improvement_;
  bool stop_at_target_;
  std::int64_t patience_;
  bool first_at_target_ = false;
  std::int64_t reached_ = 0, tests_without_improvement_ = 0;
  double best_loss_;
};

}  // namespace souk
