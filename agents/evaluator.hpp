#pragma once

#include <cstdint>
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

/// Result of a test on the whole test set. The same bits on every rank, for any rank count.
struct TestResult {
  double loss = 0.0;                      ///< mean cross-entropy
  double accuracy = 0.0;                  ///< top-1
  std::vector<double> accuracy_of_class;  ///< [classes], NaN where the test set has no sample of a class
};

/// Tests models on the test set: batches of a fixed size, dealt to ranks by index, added up in batch order.
class Evaluator {
 public:
  Evaluator(const Dataset& test, std::size_t batch_size) : test_(test), batch_size_(batch_size) {}
  /// This rank's batches; does not communicate.
  void test_own_batches(const Comm& comm, Network& network, std::span<const float> parameters);
  /// Adds up what the ranks found. Collective.
  TestResult gather(const Comm& comm) const;

 private:
  std::size_t batches() const { return (test_.size() + batch_size_ - 1) / batch_size_; }
  const Dataset& test_;
  std::size_t batch_size_;
  std::vector<double> own_;  ///< [own batches, 1 + 2 classes]: loss sum, correct, samples
};

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
