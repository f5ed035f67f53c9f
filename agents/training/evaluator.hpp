#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/comm/comm.hpp"
#include "sim/engine/round_record.hpp"
#include "sim/learn/task.hpp"

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

/// Result of a test. The same bits on every rank, for any rank count.
struct TestResult {
  Scores scores;
  std::vector<AttackSuccess> attacks{};  ///< [triggered tests]
};

/// Tests models on some units of a split: batches of a fixed size, dealt to ranks by index, added up in batch order.
class Evaluator {
 public:
  /// `triggered`: of tasks of rows with classes. `task` must outlive it.
  Evaluator(Task& task, Split split, std::vector<SampleIndex> units, std::size_t batch_size,
            std::vector<TriggeredTest> triggered = {})
      : task_(task),
        split_(split),
        units_(std::move(units)),
        batch_size_(batch_size),
        triggered_(std::move(triggered)) {}
  /// This rank's batches; does not communicate.
  void test_own_batches(const Comm& comm, std::span<const float> parameters);
  /// Adds up what the ranks found. Collective.
  TestResult gather(const Comm& comm) const;

 private:
  std::size_t batches() const { return (units_.size() + batch_size_ - 1) / batch_size_; }
  void test_triggered(std::span<const float> parameters, UnitSet which);
  std::vector<std::int32_t> answers_to(std::span<const float> parameters, std::span<const float> rows,
                                       std::size_t count) const;
  /// Numbers per batch: the task's tally; of every triggered test: attacked inputs and hits, all and those correct when
  /// left alone.
  std::size_t width() const { return task_.tally_size() + 4 * triggered_.size(); }
  Task& task_;
  Split split_;
  std::vector<SampleIndex> units_;
  std::size_t batch_size_;
  std::vector<TriggeredTest> triggered_;
  std::vector<double> own_;  ///< [own batches, width()]
};

/// Every unit of a split.
std::vector<SampleIndex> all_units(const Task& task, Split split);

/// The quality that counts as success: one of the two settings, as the task has classes or numbers. Throws InputError
/// where the other is set; `where` is what stands before their names: "evaluation.".
double target_of(const Task& task, double accuracy, double r2, const std::string& where);

/// When a run ends before its last round.
class StopTests {
 public:
  /// `target`: quality that counts as success; 0: none.
  StopTests(const scenario::Evaluation& config, double target);
  /// Takes note of a test; returns why the run should end now, if it should: target or patience.
  std::optional<Stop> note(const Scores& scores);
  /// Whether this test was the first to reach the target.
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
