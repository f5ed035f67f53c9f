#include "agents/training/model_tests.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "agents/training/round_recorder.hpp"
#include "scenarios/scenario.pb.h"

namespace souk {

ModelTests::ModelTests(const Comm& comm, const Federation& federation, std::vector<TriggeredTest> triggered,
                       std::vector<int> goals)
    : comm_(comm),
      federation_(federation),
      task_(federation.task()),
      goals_(std::move(goals)),
      test_(federation.task(), Split::test, all_units(federation.task(), Split::test),
            federation.scenario().evaluation().batch_size(), std::move(triggered)),
      stops_(federation.scenario().evaluation(),
             target_of(federation.task(), federation.scenario().evaluation().target_accuracy(),
                       federation.scenario().evaluation().target_r2(), "evaluation.")) {
  forget();
}

void ModelTests::forget() {
  validation_.reset();
  const auto held_out = federation_.validation();
  if (held_out.empty()) return;
  validation_ = std::make_unique<Evaluator>(federation_.task(), Split::train,
                                            std::vector<SampleIndex>(held_out.begin(), held_out.end()),
                                            federation_.scenario().evaluation().batch_size());
}

double ModelTests::run(std::span<const float> model, Phases& phases, RoundRecord& record) {
  const TestResult result = result_of(test_, model, phases);
  record_test(result, task_.quality_name(), goals_, record);
  if (validation_ != nullptr) {
    const TestResult held_out = result_of(*validation_, model, phases);
    record.add(fmt::format("validation_{}", task_.quality_name()), held_out.scores.quality);
    record.add("validation_loss", held_out.scores.loss);
  }
  decide(result.scores, record);
  return result.scores.quality;
}

TestResult ModelTests::result_of(Evaluator& evaluator, std::span<const float> model, Phases& phases) const {
  TestResult result;
  phases.local("evaluate", [&] { evaluator.test_own_batches(comm_, model); });
  phases.collective("gather test", [&] { result = evaluator.gather(comm_); });
  return result;
}

void ModelTests::decide(const Scores& scores, RoundRecord& record) {
  const std::optional<Stop> stop = stops_.note(scores);
  if (stops_.first_at_target()) {
    record.events.push_back({"target reached", -1, fmt::format("{} {}", task_.quality_name(), scores.quality)});
  }
  if (!std::isfinite(scores.loss)) {
    record.stop = Stop::diverged;
  } else if (stop && !record.stop) {
    record.stop = stop;
  }
}

}  // namespace souk
