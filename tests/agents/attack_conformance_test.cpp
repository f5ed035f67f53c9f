// What every attack in the schema must do in a small federation: give the same bits on any number of ranks and after a
// resume, and leave everybody else's work alone.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>

#include "attacks/attack.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "tests/support/own_code.hpp"
#include "tests/support/simulated.hpp"

namespace souk::attack_conformance_test {
namespace {

constexpr std::uint32_t rounds = 4;

std::string scenario_of(const std::string& attacks, const std::string& aggregator = "krum { f: 1 }",
                        const std::string& data = "glyphs") {
  return "rounds: 4 task { data { " + data +
         " { train_samples: 240 test_samples: 60 } } model { mlp { hidden: 12 } } "
         "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 per_round: 6 } "
         "root { samples: 20 always: true } validators { min_samples: 1 always: true } aggregator { " +
         aggregator + " } " + attacks;
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
  return names_that_run(names);
}

bool is_in(const std::string& name, const std::string& oneof) {
  const auto names = names_in(oneof);
  return std::ranges::find(names, name) != names.end();
}

/// A scenario in which the attack acts with its defaults, and with what it cannot do without.
std::string scenario_with(const std::string& name) {
  const std::map<std::string, std::string> rules{{"fltrust_adaptive", "fltrust {}"},
                                                 {"baseline_probe", "fltrust {}"},
                                                 {"false_reports", "flshield {}"},
                                                 {"flshield_fa_adp", "flshield {}"},
                                                 {"flshield_fa_adv", "flshield {}"}};
  const std::map<std::string, std::string> settings{
      {"tabular_trigger", "set { column: 3 value: 1 }"},
      {"whitewash", "after: 1"},
      {"flshield_fa_adp", "steps: 20"},
      {"fltrust_adaptive", "passes: 2 steps: 2"},
      {"baseline_probe", "submits: MIXTURES channel: SHARES"},
      {"python", "file: \"" + own_code("hidden_mean.py").string() + "\""}};
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
  const std::string server = name == "baseline_probe" ? "server { publishes: WEIGHTS } " : "";
  const bool of_numbers = name == "target_shift" || name == "target_flip";
  return server + scenario_of("attacks { members { id: 1 id: 4 id: 6 } " + group + "}",
                              rule == rules.end() ? "krum { f: 1 }" : rule->second, of_numbers ? "waves" : "glyphs");
}

class AttackConformance : public testing::TestWithParam<std::string> {};

TEST_P(AttackConformance, gives_the_same_bits_on_any_number_of_ranks_and_after_a_resume) {
  const std::string text = scenario_with(GetParam());
  if (GetParam() == "text_trigger" || GetParam() == "tabular_trigger") {
    EXPECT_THROW(simulate(text), PhaseError) << "images are neither texts nor tables";
    return;
  }
  const Simulated alone = simulate(text);
  EXPECT_EQ(simulate(text, 3).hash, alone.hash);
  EXPECT_EQ(simulate(text, 2, rounds / 2).hash, alone.hash);
}

/// Of the first round: who was asked, and everything measured of clients that are in no group.
std::vector<std::pair<std::string, double>> benign_work(const Simulated& outcome) {
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
  const auto attacked = benign_work(simulate(text));
  EXPECT_GE(attacked.size(), 6U + 2U * 3U);
  EXPECT_EQ(attacked, benign_work(simulate(clean)));
}

INSTANTIATE_TEST_SUITE_P(all, AttackConformance, testing::ValuesIn(all_names()),
                         [](const auto& instance) { return instance.param; });

/// Everybody in every round under the mean, so that whatever a member submits shows in the model.
std::string under_mean(const std::string& name, const std::string& members, const std::string& knowledge,
                       const std::string& participants = "everyone: true") {
  std::string text = scenario_with(name);
  const auto replace = [&](const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    if (at != std::string::npos) text.replace(at, from.size(), to);
  };
  // Whitewashing needs rejections.
  replace("aggregator { krum { f: 1 } }",
          name == "whitewash" ? "aggregator { krum { f: 0 } }" : "aggregator { mean {} }");
  replace("per_round: 6", participants);
  replace("members { id: 1 id: 4 id: 6 }", members + " knowledge: " + knowledge);
  return text;
}

std::size_t events_of(const RoundRecord& record, const std::string& kind) {
  return static_cast<std::size_t>(std::ranges::count(record.events, kind, &EventRow::kind));
}

/// A run in which the attack could do nothing says so in every round; one that may choose to behave tells its choice.
void expect_refused_or_felt_or_told(const std::string& name, const std::string& text) {
  const std::string clean = text.substr(0, text.find("attacks {"));
  Simulated attacked;
  try {
    attacked = simulate(text);
  } catch (const PhaseError& refusal) {
    EXPECT_THAT(refusal.what(), testing::HasSubstr("attacks[0]")) << text;
    return;
  }
  if (attacked.hash != simulate(clean).hash) return;
  const bool chooses = name.starts_with("adaptive_") || name == "whitewash";
  for (const RoundRecord& record : attacked.records) {
    const auto told = std::ranges::count_if(
        record.metrics, [](const MetricValue& metric) { return metric.name.starts_with("attack.0."); });
    if (chooses && told + static_cast<std::int64_t>(events_of(record, "whitewash")) > 0) continue;
    EXPECT_GT(events_of(record, "idle attack"), 0U) << text;
    EXPECT_EQ(told, 0) << "of what did not happen: " << text;
  }
}

class AttackReach : public testing::TestWithParam<std::string> {};

TEST_P(AttackReach, every_attack_at_every_level_is_refused_or_felt_or_says_why_not) {
  for (const char* knowledge : {"OWN", "COLLUDERS", "ALL", "RULE"}) {
    expect_refused_or_felt_or_told(GetParam(), under_mean(GetParam(), "members { id: 1 id: 4 id: 6 }", knowledge));
    expect_refused_or_felt_or_told(GetParam(), under_mean(GetParam(), "members { id: 4 }", knowledge));
    expect_refused_or_felt_or_told(GetParam(),
                                   under_mean(GetParam(), "members { id: 1 id: 4 }", knowledge, "per_round: 2"));
  }
}

std::vector<std::string> names_of_update_attacks() {
  std::vector<std::string> names = names_in("update");
  for (const std::string& name : names_in("sybil")) names.push_back(name);
  return names_that_run(names);
}

INSTANTIATE_TEST_SUITE_P(all, AttackReach, testing::ValuesIn(names_of_update_attacks()),
                         [](const auto& instance) { return instance.param; });

std::string refusal_of(const std::string& text) {
  try {
    simulate(text);
  } catch (const PhaseError& refusal) {
    return refusal.what();
  }
  return "";
}

TEST(IdleAttacks, that_can_never_act_are_refused) {
  const std::string three = "members { id: 1 id: 4 id: 6 }", one = "members { id: 4 }";
  for (const std::string name : {"alie", "min_max", "min_sum", "agr_tailored", "mimic"}) {
    const std::string alone = refusal_of(under_mean(name, three, "OWN"));
    EXPECT_THAT(alone, testing::HasSubstr("attacks[0].knowledge = OWN: " + name + " needs COLLUDERS")) << name;
    EXPECT_THAT(refusal_of(under_mean(name, one, "COLLUDERS")),
                testing::HasSubstr(name + " needs to know 2 updates of a round, and there are never more than 1"))
        << name;
    EXPECT_THAT(refusal_of(under_mean(name, three, "COLLUDERS", "per_round: 1")), testing::HasSubstr("than 1")) << name;
    EXPECT_EQ(refusal_of(under_mean(name, three, "COLLUDERS")), "") << name;
    EXPECT_EQ(refusal_of(under_mean(name, one, "ALL")), "") << name;
  }
  EXPECT_THAT(refusal_of(under_mean("pivot", one, "COLLUDERS")), testing::HasSubstr("pivot needs 2 members"));
  EXPECT_THAT(refusal_of(under_mean("pivot", three, "OWN")), testing::HasSubstr("pivot needs COLLUDERS"));
  EXPECT_THAT(refusal_of(scenario_of("attacks { count: 2 at_rounds: [99, 98] sign_flip {} }")),
              testing::HasSubstr("attacks[0].at_rounds: names no round of the run, which has 4"));
  EXPECT_THAT(refusal_of(scenario_of("attacks { count: 2 scaling { factor: 1 } }")),
              testing::HasSubstr("attacks[0].scaling.factor = 1"));
  EXPECT_THAT(refusal_of(scenario_of("attacks { count: 2 sign_flip {} false_reports {} }")),
              testing::HasSubstr("no aggregator here asks validators"));
}

TEST(IdleAttacks, that_cannot_act_in_a_round_say_so_and_tell_nothing_of_what_did_not_happen) {
  // Two of eight clients a round, two of them colluding: seldom both.
  const std::string text = under_mean("alie", "members { id: 1 id: 4 }", "COLLUDERS", "per_round: 2");
  std::size_t alone = 0, absent = 0;
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
    for (const RoundRecord& record : simulate("seed: " + std::to_string(seed) + " " + text).records) {
      std::size_t members = 0;
      for (const SelectionRow& row : record.selections) members += row.agent.value == 1 || row.agent.value == 4 ? 1 : 0;
      EXPECT_EQ(events_of(record, "idle attack"), members < 2 ? 1U : 0U);
      EXPECT_EQ(record.metric("attack.0.z").has_value(), members == 2);
      for (const EventRow& event : record.events) {
        if (event.kind != "idle attack") continue;
        (members == 1 ? alone : absent) += 1;
        EXPECT_THAT(event.text, testing::HasSubstr(members == 1 ? "attacks[0]: alie needs to know 2 updates"
                                                                : "attacks[0]: none of its members"));
      }
    }
  }
  EXPECT_GT(alone, 0U);
  EXPECT_GT(absent, 0U);
}

TEST(IdleAttacks, are_named_before_the_first_round_where_the_schedule_tells) {
  const auto told = [](const std::string& attacks) {
    std::string text;
    run_team(1, [&](const Comm& comm) {
      const auto resolved = resolve_scenario({.file_name = "test", .text = scenario_of(attacks), .overrides = {}});
      for (const EventRow& event : make_simulation(comm, *resolved.scenario, "cpu")->set_up_record().events) {
        if (event.kind == "idle attack") text += event.text;
      }
    });
    return text;
  };
  EXPECT_EQ(told("attacks { count: 2 sign_flip {} }"), "");
  EXPECT_EQ(told("attacks { count: 2 sign_flip {} from_round: 1000000 }"),
            "attacks[0] never acts: from_round = 1000000 is after the last round, 4");
  EXPECT_EQ(told("attacks { count: 2 sign_flip {} at_rounds: [2, 9] }"),
            "attacks[0] does not act in round 9 of at_rounds, which is after the last, 4");
  EXPECT_EQ(told("attacks { count: 2 badnets {} poison_share: 0 }"), "attacks[0] poisons no sample");
}

TEST(Memories, are_the_same_after_a_resume_where_rounds_brought_nothing_usable) {
  // Two of four clients a round, and what the three members of a group submit is never a number. Wherever the run is
  // broken, it ends in the state of the unbroken one.
  for (const std::string sybil :
       {"sybil_mimic {}", "sybil_mimic { memory { followed: SUBMITTED window: 3 } }", "systematic_probe {}",
        "systematic_probe {} off: 1", "whitewash { after: 1 }", "adaptive_seller { threat: GRADIENT_INVERSION }"}) {
    std::size_t useless_rounds = 0;
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      std::string text = "seed: " + std::to_string(seed) + " " + scenario_of("", "mean {}");
      text.replace(text.find("clients: 8 per_round: 6"), 23, "clients: 4 per_round: 2");
      text += "attacks { members { id: 0 id: 1 id: 3 } nan { coordinates: 0 } " + sybil + " }";
      const Simulated unbroken = simulate(text);
      for (const RoundRecord& record : unbroken.records) {
        useless_rounds += events_of(record, "invalid update") == 2 ? 1U : 0U;
      }
      for (const std::uint32_t after : {1U, 2U, 3U}) {
        EXPECT_EQ(simulate(text, 1, after).state, unbroken.state) << text << " broken after round " << after;
      }
    }
    EXPECT_GT(useless_rounds, 1U) << "or nothing was tested";
  }
}

TEST(ToleratedF, is_recorded_and_an_event_says_where_too_few_updates_arrived_for_it) {
  // Krum with f = 2 needs seven updates; more than half of eight clients drop out.
  const std::string text =
      "rounds: 4 task { data { glyphs { train_samples: 240 test_samples: 60 } } model { logreg {} } } "
      "participants { clients: 8 everyone: true availability { dropout: 0.5 } } aggregator { krum { f: 2 } }";
  std::size_t few = 0;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const RoundRecord& record : simulate("seed: " + std::to_string(seed) + " " + text).records) {
      const double arrived = record.metric("updates").value_or(0.0);
      if (arrived == 0.0) continue;
      const double allowed = arrived < 5.0 ? 0.0 : arrived < 7.0 ? 1.0 : 2.0;
      EXPECT_EQ(record.metric("rule.f"), allowed) << arrived;
      EXPECT_EQ(events_of(record, "rule"), allowed < 2.0 ? 1U : 0U) << arrived;
      few += allowed < 2.0 ? 1U : 0U;
    }
  }
  EXPECT_GT(few, 0U);
}

TEST(Detection, is_measured_where_updates_are_kept_or_rejected_as_wholes_and_nowhere_else) {
  const std::string attack = "attacks { members { id: 1 id: 4 id: 6 } sign_flip {} }";
  for (const std::string rule :
       {"median {}", "trimmed_mean { f: 1 }", "sign_majority {}", "rlr {}", "pre { nnm { f: 1 } } meamed { f: 1 }"}) {
    for (const RoundRecord& record : simulate(scenario_of(attack, rule)).records) {
      EXPECT_EQ(record.metric("tpr"), std::nullopt) << rule;
      EXPECT_EQ(record.metric("tnr"), std::nullopt) << rule;
      for (const SelectionRow& row : record.selections) EXPECT_EQ(row.weight, std::nullopt) << rule;
    }
  }
  for (const std::string rule : {"mean {}", "krum { f: 1 }", "multi_krum { f: 1 }"}) {
    double rounds_with_members = 0.0;
    for (const RoundRecord& record : simulate(scenario_of(attack, rule)).records) {
      double sum = 0.0;
      for (const SelectionRow& row : record.selections) sum += row.weight.value();
      EXPECT_NEAR(sum, 1.0, 1e-12) << rule;
      rounds_with_members += record.metric("tpr").has_value() ? 1.0 : 0.0;
    }
    EXPECT_GT(rounds_with_members, 0.0) << rule;
  }
}

TEST(Identities, fakes_train_as_their_owner_does_and_leave_the_others_alone) {
  const auto updates_of_first_round = [](const std::string& attacks) {
    std::map<std::int64_t, double> norms;
    const std::string text = scenario_of(attacks, "mean {}");
    const std::string everyone =
        text.substr(0, text.find("per_round: 6")) + "everyone: true" + text.substr(text.find("per_round: 6") + 12);
    const Simulated outcome = simulate(everyone);
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
  const Simulated outcome = simulate(scenario_with("whitewash"));
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
  const RoundRecord last = simulate(text).records.back();
  EXPECT_GE(last.metric("asr").value(), 0.6);
  EXPECT_EQ(last.metric("asr.0"), last.metric("asr"));
  EXPECT_EQ(last.metric("malicious_updates"), 5.0);
  EXPECT_EQ(last.metric("tpr"), 0.0);
  EXPECT_EQ(last.metric("tnr"), std::nullopt) << "nobody is benign";
}

TEST(Invalid, updates_of_malicious_clients_are_recorded_and_count_as_rejected) {
  for (const std::string attack : {"nan {}", "inf { coordinates: 0 }", "wrong_length { difference: 3 }"}) {
    const Simulated outcome =
        simulate(scenario_of("attacks { members { id: 0 id: 1 id: 2 id: 3 } " + attack + " }", "mean {}"));
    for (const RoundRecord& record : outcome.records) {
      EXPECT_EQ(record.metric("tpr"), 1.0) << attack;
      EXPECT_EQ(record.metric("tnr"), 1.0) << attack;
      EXPECT_EQ(static_cast<double>(record.events.size()), record.metric("malicious_updates")) << attack;
      for (const EventRow& event : record.events) EXPECT_EQ(event.kind, "invalid update");
    }
  }
}

}  // namespace
}  // namespace souk::attack_conformance_test
