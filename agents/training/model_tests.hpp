#pragma once

#include <memory>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/training/evaluator.hpp"
#include "sim/engine/phases.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// The tests of one model: on the test set, left alone and attacked, and on what is held out of training; and what
/// they say about going on.
class ModelTests {
 public:
  /// `triggered`: attacked inputs, as those attackers want them who have a goal; `goals`: these groups. Throws
  /// InputError. Everything given must outlive it.
  ModelTests(const Comm& comm, const Federation& federation, std::vector<TriggeredTest> triggered,
             std::vector<int> goals);
  /// Tests the model, [dimension], and records how good it is, and whether the run stops by it. Collective. Returns the
  /// quality.
  double run(std::span<const float> model, Phases& phases, RoundRecord& record);
  /// Tests a model on the test set, and decides nothing by it. Collective.
  TestResult look_at(std::span<const float> model, Phases& phases) { return result_of(test_, model, phases); }
  /// The federation holds out less than before.
  void forget();
  void serialize(Archive& archive) { stops_.serialize(archive); }

 private:
  TestResult result_of(Evaluator& evaluator, std::span<const float> model, Phases& phases) const;
  void decide(const Scores& scores, RoundRecord& record);

  const Comm& comm_;
  const Federation& federation_;
  const Task& task_;
  std::vector<int> goals_;
  Evaluator test_;
  std::unique_ptr<Evaluator> validation_;  ///< null: nothing is held out
  StopTests stops_;
};

}  // namespace souk
