#pragma once

#include <string>

#include "agents/protocols/federated.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {

class LastAccuracy final : public MetricSink {
 public:
  void describe(const std::map<std::string, std::string>&) override {}
  void commit_set_up(const SetUpRecord&) override {}
  void commit(const RoundRecord& record) override { value = record.metric("accuracy").value_or(value); }
  void rewind(RoundIndex) override {}
  double value = 0.0;
};

/// Test accuracy after the last round of a scenario, on one rank.
inline double last_accuracy(const std::string& text) {
  const ResolvedScenario resolved = resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
  const auto protocol = make_federated(Comm::self(), *resolved.scenario, "cpu");
  LastAccuracy sink;
  run_rounds(Comm::self(), *protocol, &sink, nullptr, std::nullopt,
             {.rounds = resolved.scenario->rounds(), .scenario_text = text});
  return sink.value;
}

}  // namespace souk
