#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {

/// Keeps the last value that a run recorded of one metric of the whole federation.
class LastMetric final : public MetricSink {
 public:
  explicit LastMetric(std::string name) : name_(std::move(name)) {}
  void describe(const std::map<std::string, std::string>&) override {}
  void commit_set_up(const SetUpRecord&) override {}
  void commit(const RoundRecord& record) override { value = record.metric(name_).value_or(value); }
  void rewind(RoundIndex) override {}
  double value = 0.0;

 private:
  std::string name_;
};

/// The last value of a metric in a run of a scenario on one rank; 0 if it was never recorded.
inline double last_metric(const std::string& text, const std::string& name) {
  const ResolvedScenario resolved = resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
  const auto protocol = make_simulation(Comm::self(), *resolved.scenario, "cpu");
  LastMetric sink(name);
  run_rounds(Comm::self(), *protocol, &sink, nullptr, std::nullopt,
             {.rounds = resolved.scenario->rounds(), .scenario_text = text});
  return sink.value;
}

/// Test accuracy after the last round.
inline double last_accuracy(const std::string& text) { return last_metric(text, "accuracy"); }

}  // namespace souk
