// What every attack in the schema must do in a small federation: give the same bits on any number of ranks and after a
// resume, and leave everybody else's work alone.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>

#include "agents/protocols/federated.hpp"
#include "attacks/attack.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

constexpr std::uint32_t rounds = 4;

std::string scenario_of(const std::string& attacks, const std::string& aggregator = "krum { f: 1 }") {
  return "rounds: 4 task { data { glyphs { train_samples: 240 test_samples: 60 } } model { mlp { hidden: 12 } } "
         "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 per_round: 6 } "
         "root { samples: 20 always: true } validators { min_samples: 1 always: true } aggregator { " +
         aggregator + " } " + attacks;
}

/// What is left of a run: its parameters, and every record.
struct Outcome {
  std::string hash;
  std::vector<RoundRecord> records;
};

/// Runs the scenario; where `resumed`, the state is saved after half of the rounds and loaded into a new protocol.
Outcome run(const std::string& text, int ranks, bool resumed) {
  Outcome outcome;
  run_team(ranks, [&](const Comm& comm) {
    const ResolvedScenario resolved = resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
    auto protocol = make_federated(comm, *resolved.scenario, "cpu");
    const std::optional<InjectedFault> no_fault;
    for (std::uint32_t r = 1; r <= rounds; ++r) {
      RoundRecord record;
      Phases phases(comm, {r}, no_fault);
      protocol->run_round({r}, r == rounds, phases, record);
      if (comm.rank() == 0) outcome.records.push_back(std::move(record));
      if (!resumed || r != rounds / 2) continue;
      SaveArchive saved;
      protocol->serialize(saved);
      protocol = make_federated(comm, *resolved.scenario, "cpu");
      LoadArchive load(saved.bytes());
      protocol->serialize(load);
      load.expect_end();
    }
    if (comm.rank() == 0) outcome.hash = sha256_hex(protocol->parameters());
  });
  return outcome;
}

/// The name of every attack in a oneof of the group.
std::vector<std::string> names_in(const std::string& oneof) {
  std::vector<std::string> names;
  const auto* choice = scenario::Attack::descriptor()->FindOneofByName(oneof);
  for (int f = 0; f < choice->field_count(); ++f) names.push_back(choice->field(f)->name());
  return names;
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const std::string oneof : {"data", "update", "sybil", "validation"}) {
    for (const std::string& name : names_in(oneof)) names.push_back(name);
  }
  return names;
}

bool is_in(const std::string& name, const std::string& oneof) {
  const auto names = names_in(oneof);
  return std::ranges::find(names, name) != names.end();
}

/// A scenario in which the attack acts with its defaults, and with what it cannot do without.
std::string scenario_with(const std::string& name) {
  const std::map<std::string, std::string> rules{{"fltrust_adaptive", "fltrust {}"},
                                                 {"false_reports", "flshield {}"},
                                                 {"flshield_fa_adp", "flshield {}"},
                                                 {"flshield_fa_adv", "flshield {}"}};
  const std::map<std::string, std::string> settings{{"tabular_trigger", "set { column: 3 value: 1 }"},
                                                    {"whitewash", "after: 1"},
                                                    {"flshield_fa_adp", "steps: 20"},
                                                    {"fltrust_adaptive", "passes: 2 steps: 2"}};
  const auto rule = rules.find(name);
  const auto setting = settings.find(name);
  std::string group = name + " { " + (setting == settings.end() ? "" : setting->second) + " } ";
  const auto stages = make_update_attacks([&] {
    scenario::Attack choice;
    if (is_in(name, "update") || is_in(name, "sybil")) {
      const auto* field = scenario::Attack::descriptor()->FindFieldByName(name);
      choice.GetReflection()->MutableMessage(&choice, field);
    }
    return choice;
  }());
  if (!stages.empty() && stages.front()->needs_poison()) group += "badnets {} ";
  if (is_in(name, "validation")) group += "sign_flip {} ";
  return scenario_of("attacks { members { id: 1 id: 4 id: 6 } " + group + "}",
                     rule == rules.end() ? "krum { f: 1 }" : rule->second);
}

class AttackConformance : public testing::TestWithParam<std::string> {};

TEST_P(AttackConformance, gives_the_same_bits_on_any_number_of_ranks_and_after_a_resume) {
  const std::string text = scenario_with(GetParam());
  if (GetParam() == "text_trigger" || GetParam() == "tabular_trigger") {
    EXPECT_THROW(run(text, 1, false), PhaseError) << "images are neither texts nor tables";
    return;
  }
  const Outcome alone = run(text, 1, false);
  EXPECT_EQ(run(text, 3, false).hash, alone.hash);
  EXPECT_EQ(run(text, 2, true).hash, alone.hash);
}

/// Of the first round: who was asked, and everything measured of clients that are in no group.
std::vector<std::pair<std::string, double>> benign_work(const Outcome& outcome) {
  std::vector<std::pair<std::string, double>> work;
  const RoundRecord& first = outcome.records.front();
  for (const SelectionRow& row : first.selections) work.emplace_back("asked", row.agent.value);
  for (const MetricValue& metric : first.metrics) {
    const bool benign = metric.agent >= 0 && metric.agent != 1 && metric.agent != 4 && metric.agent != 6;
    if (benign && metric.name != "cosine_to_aggregate") work.emplace_back(metric.name, metric.value);
  }
  for (std::uint32_t r = 1; r < rounds; ++r) {
    for (const SelectionRow& row : outcome.records[r].selections) work.emplace_back("asked", row.agent.value);
  }
  return work;
}

TEST_P(AttackConformance, changes_nobody_elses_batches_updates_or_sampling) {
  if (GetParam() == "text_trigger" || GetParam() == "tabular_trigger") GTEST_SKIP() << "not for images";
  const std::string text = scenario_with(GetParam());
  const std::string clean = text.substr(0, text.find("attacks {"));
  const auto attacked = benign_work(run(text, 1, false));
  EXPECT_GE(attacked.size(), 6U + 2U * 3U);
  EXPECT_EQ(attacked, benign_work(run(clean, 1, false)));
}

INSTANTIATE_TEST_SUITE_P(all, AttackConformance, testing::ValuesIn(all_names()),
                         [](const auto& instance) { return instance.param; });

TEST(Identities, fakes_train_as_their_owner_does_and_leave_the_others_alone) {
  const auto updates_of_first_round = [](const std::string& attacks) {
    std::map<std::int64_t, double> norms;
    const std::string text = scenario_of(attacks, "mean {}");
    const std::string everyone =
        text.substr(0, text.find("per_round: 6")) + "everyone: true" + text.substr(text.find("per_round: 6") + 12);
    const Outcome outcome = run(everyone, 1, false);
    for (const MetricValue& metric : outcome.records.front().metrics) {
      if (metric.name == "update_norm") norms[metric.agent] = metric.value;
    }
    return norms;
  };
  const auto clean = updates_of_first_round("");
  const auto attacked = updates_of_first_round("attacks { members { id: 2 } identities: 4 zero {} }");
  EXPECT_EQ(clean.size(), 8U);
  EXPECT_EQ(attacked.size(), 11U);
  for (const auto& [client, norm] : attacked) {
    const bool malicious = client == 2 || client >= 8;
    EXPECT_EQ(norm, malicious ? 0.0 : clean.at(client)) << client;
  }
}

TEST(Whitewash, comes_back_under_another_name_at_a_cost) {
  // Krum rejects all but one of the six, and one rejection is enough.
  const Outcome outcome = run(scenario_with("whitewash"), 1, false);
  std::size_t renewals = 0;
  for (const RoundRecord& record : outcome.records) {
    for (const EventRow& event : record.events) renewals += event.kind == "whitewash" ? 1U : 0U;
  }
  EXPECT_GT(renewals, 0U);
  const auto cost = outcome.records.back().metric("attack.0.identity_cost");
  EXPECT_EQ(static_cast<double>(renewals), cost.value_or(0.0));
}

TEST(Success, counts_what_the_group_wants_on_inputs_of_other_classes) {
  // A group of everybody that flips class 3 to 5 and nothing else: the model must learn the wrong label.
  const std::string text =
      "rounds: 4 task { data { glyphs { train_samples: 1500 test_samples: 300 } } model { mlp {} } "
      "training { local_epochs: 3 learning_rate: 0.2 } } participants { clients: 5 everyone: true } "
      "aggregator { mean {} } attacks { fraction: 1 label_flip { source: 3 target: 5 } }";
  const RoundRecord last = run(text, 1, false).records.back();
  EXPECT_GE(last.metric("asr").value(), 0.6);
  EXPECT_EQ(last.metric("asr.0"), last.metric("asr"));
  EXPECT_EQ(last.metric("malicious_updates"), 5.0);
  EXPECT_EQ(last.metric("tpr"), 0.0);
  EXPECT_EQ(last.metric("tnr"), std::nullopt) << "nobody is benign";
}

TEST(Invalid, updates_of_malicious_clients_are_recorded_and_count_as_rejected) {
  for (const std::string attack : {"nan {}", "inf { coordinates: 0 }", "wrong_length { difference: 3 }"}) {
    const Outcome outcome =
        run(scenario_of("attacks { members { id: 0 id: 1 id: 2 id: 3 } " + attack + " }", "mean {}"), 1, false);
    for (const RoundRecord& record : outcome.records) {
      EXPECT_EQ(record.metric("tpr"), 1.0) << attack;
      EXPECT_EQ(record.metric("tnr"), 1.0) << attack;
      EXPECT_EQ(static_cast<double>(record.events.size()), record.metric("malicious_updates")) << attack;
      for (const EventRow& event : record.events) EXPECT_EQ(event.kind, "invalid update");
    }
  }
}

}  // namespace
}  // namespace souk
