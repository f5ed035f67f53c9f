#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/hash.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {

/// What a run of a market leaves behind.
class Rounds final : public MetricSink {
 public:
  void describe(const std::map<std::string, std::string>&) override {}
  void commit_set_up(const SetUpRecord& record) override { set_up = record; }
  void commit(const RoundRecord& record) override { rounds.push_back(record); }
  void rewind(RoundIndex) override {}
  SetUpRecord set_up;
  std::vector<RoundRecord> rounds;
  std::string hash;

  /// Everything but times, as text.
  std::string text() const {
    std::string all = hash;
    for (const RoundRecord& round : rounds) {
      for (const MetricValue& m : round.metrics) {
        all += fmt::format("{} {} {} {} {:a}\n", round.round.value, m.name, m.agent, m.label, m.value);
      }
      for (const TransferRow& t : round.transfers) {
        all += fmt::format("{} {} {} {}\n", t.kind, t.payer, t.payee, t.micro_credits);
      }
      for (const SelectionRow& s : round.selections) all += fmt::format("{} {}\n", s.agent.value, to_string(s.outcome));
      for (const EventRow& e : round.events) all += fmt::format("{} {} {}\n", e.kind, e.agent, e.text);
    }
    return all;
  }
  double sum(const std::string& metric) const {
    double total = 0.0;
    for (const RoundRecord& round : rounds) total += round.metric(metric).value_or(0.0);
    return total;
  }
};

/// A scenario of eight sellers with this market.
inline std::string market(const std::string& market, const std::string& more = "") {
  return "rounds: 4 task { data { glyphs { train_samples: 700 test_samples: 100 } } model { mlp { hidden: 12 } } "
         "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 everyone: true } "
         "root { samples: 60 } " +
         more + " market { " + market + " }";
}

inline Rounds run(const std::string& text, int ranks = 1) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  Rounds result;
  run_team(ranks, [&](const Comm& comm) {
    const auto protocol = make_simulation(comm, *resolved.scenario, "cpu");
    run_rounds(comm, *protocol, comm.rank() == 0 ? &result : nullptr, nullptr, std::nullopt,
               {.rounds = resolved.scenario->rounds(), .scenario_text = text});
    if (comm.rank() == 0) result.hash = sha256_hex(protocol->parameters());
  });
  return result;
}

/// Why the scenario is not run; empty if it is.
inline std::string refusal(const std::string& text) {
  try {
    run(text);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace souk
