// Every registered attack on edges, from end to end: same bits, rights, budgets, resume; and what single ones find out.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/cast/shared_data.hpp"
#include "attacks/edge_attack.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/plugin_registry.hpp"
#include "tests/support/simulated.hpp"

namespace souk::edge_attacks_test {
namespace {

using ::testing::HasSubstr;

const std::string everything =
    "rights: [READ_OWN, READ_ANY, WRITE_OWN, WRITE_ANY, REGISTER, CONNECT, KNOW_FEATURES, KNOW_EDGES, KNOW_MODEL, "
    "KNOW_DESIGN] ";

/// A served network of three layers, trained a little, and what `service` says.
std::string served(const std::string& service, const std::string& model = "gcn { hidden: [12, 12] }",
                   const std::string& more = "rounds: 3 ") {
  return more +
         "training_rounds: 1 task { data { communities { custom { nodes: 150 edges: 400 classes: 3 features: 40 } } "
         "scaling: ROWS } model { " +
         model +
         " } training { local_epochs: 5 batch_size: 0 learning_rate: 0.02 adam {} } } participants { clients: 1 "
         "everyone: true } aggregator { mean {} } service { " +
         service + " } ";
}

std::vector<std::string> edge_attacks() { return PluginRegistry<EdgeAttack>::instance().names(); }

std::string attack_of(const std::string& name, const std::string& pairs = "targets { count: 6 longest: 10 }") {
  return "attacks { " + pairs + " resamples: 20 " + name + " {} } ";
}

/// Every number of a run, with the names of metrics.
std::map<std::string, double> numbers(const Simulated& run) {
  std::map<std::string, double> all;
  for (const RoundRecord& record : run.records) {
    for (const MetricValue& metric : record.metrics) {
      all[std::to_string(record.round.value) + " " + metric.name + " " + std::to_string(metric.agent)] = metric.value;
    }
    for (const PairRow& pair : record.pairs) {
      all[pair.attack + " " + std::to_string(pair.target) + " " + std::to_string(pair.candidate)] =
          pair.score.value_or(-12345.0);
    }
    for (const RequestRow& row : record.requests) {
      all[row.attack + " " + row.kind + " " + std::to_string(row.target)] += static_cast<double>(row.requests);
    }
  }
  return all;
}

double last(const Simulated& run, const std::string& name) {
  const auto value = run.records.back().metric(name);
  return value ? *value : std::nan("");
}

TEST(EdgeAttacks, give_the_same_numbers_on_any_number_of_ranks) {
  for (const std::string& name : edge_attacks()) {
    for (const char* evolution : {"", "evolution { drift: 0.1 arrivals: 0.02 departures: 0.01 local_growth: 0.2 } "}) {
      const std::string text = served("principals { " + everything + "} " + evolution + attack_of(name));
      const auto alone = numbers(simulate(text, 1));
      EXPECT_EQ(numbers(simulate(text, 3)), alone) << name;
      EXPECT_TRUE(alone.contains("3 edges." + name + ".auc -1")) << name;
    }
  }
}

TEST(EdgeAttacks, go_on_where_they_were_interrupted) {
  for (const std::string& name : edge_attacks()) {
    const std::string text = served("principals { " + everything + "budget { reads: 150 } } " + attack_of(name),
                                    "gcn { hidden: [12, 12] }", "rounds: 4 ");
    const Simulated whole = simulate(text, 1);
    for (const std::uint32_t round : {1U, 2U, 3U}) {
      const Simulated resumed = simulate(text, 2, round);
      EXPECT_EQ(resumed.state, whole.state) << name << " after round " << round;
      EXPECT_EQ(numbers(resumed), numbers(whole)) << name << " after round " << round;
    }
  }
}

TEST(EdgeAttacks, that_lack_a_right_are_refused_by_name) {
  for (const std::string& name : edge_attacks()) {
    const std::string told =
        refusal_of(served("principals { name: \"mute\" rights: [KNOW_EDGES] } " + attack_of(name)));
    EXPECT_THAT(told, HasSubstr("service.attacks[0]." + name + ": needs the right "));
    EXPECT_THAT(told, HasSubstr("\"mute\""));
  }
  EXPECT_THAT(refusal_of(served(attack_of("link_teller"))), HasSubstr("needs the right READ_ANY"));
  EXPECT_EQ(refusal_of(served(attack_of("inf_mag"))), "");
}

TEST(EdgeAttacks, never_ask_for_more_than_their_budget) {
  for (const std::string& name : edge_attacks()) {
    const std::string text = served("principals { " + everything +
                                    "budget { reads: 61 writes: 7 registrations: 23 edges: 19 } } " + attack_of(name));
    const Simulated run = simulate(text);
    std::map<std::string, std::uint64_t> asked;
    for (const RoundRecord& record : run.records) {
      for (const RequestRow& row : record.requests) asked[row.kind] += row.requests;
    }
    EXPECT_LE(asked["read"], 61U) << name;
    EXPECT_LE(asked["write"], 7U) << name;
    EXPECT_LE(asked["registration"], 23U) << name;
    EXPECT_LE(asked["edge"], 19U) << name;
    EXPECT_EQ(static_cast<double>(asked["read"]), last(run, "edges." + name + ".reads")) << name;
  }
}

TEST(EdgeAttacks, score_every_pair_with_a_number) {
  // Zeros everywhere: a network of one layer does not reach as far as an attacker's nodes are apart.
  for (const std::string& name : edge_attacks()) {
    for (const char* model : {"logreg {}", "gcn { hidden: 8 }"}) {
      const Simulated run = simulate(served("principals { " + everything + "} " + attack_of(name), model));
      for (const PairRow& pair : run.records.back().pairs) {
        ASSERT_TRUE(pair.score.has_value()) << name;
        EXPECT_FALSE(std::isnan(*pair.score)) << name;
      }
      EXPECT_EQ(last(run, "edges." + name + ".pairs"), last(run, "edges." + name + ".pairs_scored")) << name;
    }
  }
}

/// Three nodes and an edge are 3 hops from the node that is perturbed to the one that is watched.
TEST(InfluenceMagnitude, of_three_layers_is_an_oracle_of_edges) {
  for (const char* model : {"gcn { hidden: [12, 12] }", "sage { hidden: [12, 12] }", "gin { hidden: [12, 12] }"}) {
    const Simulated run =
        simulate(served("attacks { targets { count: 40 longest: 20 } inf_mag { measure: NORM } } ", model));
    std::size_t edges = 0;
    for (const PairRow& pair : run.records.back().pairs) {
      if (!pair.edge) {
        EXPECT_EQ(*pair.score, 0.0) << model;
      } else {
        edges += *pair.score > 0.0 ? 1U : 0U;
      }
    }
    const auto all = std::ranges::count_if(run.records.back().pairs, &PairRow::edge);
    EXPECT_EQ(edges, static_cast<std::size_t>(all)) << model;
    EXPECT_EQ(last(run, "edges.inf_mag.auc"), 1.0) << model;
    EXPECT_EQ(last(run, "edges.inf_mag.list_f1"), 1.0) << model;
  }
}

TEST(InfluenceMagnitude, of_two_layers_sees_nothing) {
  const Simulated run = simulate(
      served("attacks { targets { count: 20 longest: 20 } inf_mag { measure: NORM } } ", "gcn { hidden: 12 }"));
  for (const PairRow& pair : run.records.back().pairs) EXPECT_EQ(*pair.score, 0.0);
  EXPECT_EQ(last(run, "edges.inf_mag.auc"), 0.5);
}

/// Fewest edges between two nodes; 4: more than three.
std::size_t hops_between(const Graph& graph, NodeIndex from, NodeIndex to) {
  std::set<NodeIndex> reached{from};
  for (std::size_t hops = 0; hops < 4; ++hops) {
    if (reached.contains(to)) return hops;
    std::set<NodeIndex> next = reached;
    for (const NodeIndex node : reached) {
      const SparseRows& edges = graph.edges;
      next.insert(edges.columns.begin() + static_cast<std::ptrdiff_t>(edges.offsets[node]),
                  edges.columns.begin() + static_cast<std::ptrdiff_t>(edges.offsets[node + 1]));
    }
    reached = std::move(next);
  }
  return 4;
}

TEST(InfluenceMagnitude, of_four_layers_reaches_nodes_with_a_common_neighbour_and_no_others) {
  const std::string text =
      served("attacks { targets { count: 20 longest: 20 negatives: ANY } inf_mag { measure: NORM } } ",
             "gcn { hidden: [12, 12, 12] }");
  const Simulated run = simulate(text);
  const ResolvedScenario resolved = resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
  const SharedData data = load_shared_data(Comm::self(), resolved.scenario->task().data(), resolved.scenario->seed());
  std::set<std::size_t> seen;
  for (const PairRow& pair : run.records.back().pairs) {
    const std::size_t hops =
        hops_between(data.graph, static_cast<NodeIndex>(pair.target), static_cast<NodeIndex>(pair.candidate));
    EXPECT_EQ(*pair.score > 0.0, hops <= 2) << pair.target << " " << pair.candidate;
    seen.insert(hops);
  }
  EXPECT_EQ(seen, (std::set<std::size_t>{1, 2, 3, 4}));
}

TEST(InfluenceDirection, puts_changes_of_nothing_below_everything) {
  const Simulated run = simulate(served("attacks { targets { count: 20 longest: 20 } inf_dir {} } "));
  for (const PairRow& pair : run.records.back().pairs) {
    EXPECT_EQ(std::isinf(*pair.score), !pair.edge) << pair.target << " " << pair.candidate;
  }
  EXPECT_EQ(last(run, "edges.inf_dir.auc"), 1.0);
}

TEST(LinkTeller, asks_once_for_each_node_and_finds_neighbours) {
  const std::string service =
      "answers { form: LOGITS } principals { rights: [READ_ANY, WRITE_ANY] } attacks { nodes { "
      "count: 60 } link_teller {} } ";
  const Simulated run = simulate(served(service, "gcn { hidden: 16 normalization: PLUS_IDENTITY }"));
  EXPECT_EQ(last(run, "edges.link_teller.pairs"), 60.0 * 59.0 / 2.0);
  EXPECT_EQ(last(run, "edges.link_teller.writes"), 60.0);
  // It looks at all of them once, however many rounds the work is spread over.
  EXPECT_EQ(last(run, "edges.link_teller.reads"), 60.0 * 59.0 + 60.0);
  const Simulated longer = simulate(served(service, "gcn { hidden: 16 normalization: PLUS_IDENTITY }", "rounds: 7 "));
  EXPECT_EQ(last(longer, "edges.link_teller.reads"), last(run, "edges.link_teller.reads"));
  EXPECT_GT(last(run, "edges.link_teller.auc"), 0.97);
  EXPECT_GT(last(run, "edges.link_teller.f1"), 0.5);
}

TEST(LinkTeller, of_one_direction_is_the_later_nodes_influence) {
  const std::string begin =
      "answers { form: LOGITS } principals { rights: [READ_ANY, WRITE_ANY] } attacks { nodes { "
      "count: 30 } link_teller { direction: ";
  const Simulated one = simulate(served(begin + "ONE } } ")), both = simulate(served(begin + "MAXIMUM } } "));
  ASSERT_EQ(one.records.back().pairs.size(), both.records.back().pairs.size());
  std::size_t larger = 0;
  for (std::size_t p = 0; p < one.records.back().pairs.size(); ++p) {
    EXPECT_LE(*one.records.back().pairs[p].score, *both.records.back().pairs[p].score);
    larger += *one.records.back().pairs[p].score < *both.records.back().pairs[p].score ? 1U : 0U;
  }
  EXPECT_GT(larger, 0U);
}

TEST(Infiltration, tells_the_target_by_its_neighbours_answers) {
  std::string text = served("attacks { targets { count: 30 longest: 20 } infiltration {} } ");
  text.replace(text.find("local_epochs: 5 "), 16, "local_epochs: 80 ");
  const Simulated run = simulate(text);
  EXPECT_GT(last(run, "edges.infiltration.auc"), 0.75);
  EXPECT_GT(last(run, "edges.infiltration.label_accuracy"), 0.5);  // of three classes
}

TEST(Service, books_what_it_is_paid) {
  const std::string service =
      "principals { prices { read: 0.5 registration: 0.000001 } } attacks { targets { count: 5 longest: 10 } "
      "inf_mag {} } ";
  EXPECT_TRUE(std::ranges::all_of(simulate(served(service)).records,
                                  [](const RoundRecord& record) { return record.transfers.empty(); }));
  const Simulated run = simulate(served(service) + "market {} ");
  std::int64_t paid = 0;
  std::map<std::int64_t, std::int64_t> balances;
  for (const RoundRecord& record : run.records) {
    for (const TransferRow& row : record.transfers) {
      if (row.kind == "query") paid += row.micro_credits;
      balances[row.payee] += row.micro_credits;
      if (row.kind != "issue") balances[row.payer] -= row.micro_credits;
    }
  }
  for (const auto& [account, balance] : balances) EXPECT_GE(balance, 0) << account;
  const double reads = last(run, "edges.inf_mag.reads"), registrations = last(run, "edges.inf_mag.registrations");
  EXPECT_EQ(static_cast<double>(paid), reads * 500000.0 + registrations);
  EXPECT_NEAR(last(run, "edges.inf_mag.spent"), static_cast<double>(paid) / 1e6, 1e-9);
}

TEST(Service, counts_refused_edges_and_gives_their_pairs_no_score) {
  const Simulated run =
      simulate(served("acceptance { most: 1 } attacks { targets { count: 5 longest: 10 } inf_mag {} } "));
  // The candidate accepts one of the attacker's two nodes.
  EXPECT_EQ(last(run, "edges.inf_mag.pairs_scored"), 0.0);
  EXPECT_GT(last(run, "edges.inf_mag.refused"), 0.0);
  const Simulated other =
      simulate(served("acceptance { most: 1 } attacks { targets { count: 5 longest: 10 } infiltration {} } "));
  EXPECT_EQ(last(other, "edges.infiltration.pairs_scored"), last(other, "edges.infiltration.pairs"));
}

TEST(Service, opens_when_nobody_trains_any_more) {
  const std::string attack = "attacks { targets { count: 4 longest: 10 } inf_mag {} } ";
  const Simulated run = simulate(served(attack, "gcn { hidden: [12, 12] }", "rounds: 4 "));
  EXPECT_TRUE(run.records[0].requests.empty());
  for (std::size_t r = 1; r < 4; ++r) EXPECT_FALSE(run.records[r].requests.empty()) << r;
  // A model that is trained in every round is served in the last one.
  std::string all = served(attack);
  all.replace(all.find("training_rounds: 1"), 18, "");
  const Simulated trained = simulate(all);
  EXPECT_TRUE(trained.records[1].requests.empty());
  EXPECT_FALSE(trained.records[2].requests.empty());
  EXPECT_NE(trained.hash, simulate(served(attack)).hash);
}

/// The kinds of the events before the first round.
std::set<std::string> events(const std::string& text) {
  std::set<std::string> kinds;
  for (const EventRow& event : simulate(text).set_up.events) kinds.insert(event.kind);
  return kinds;
}

TEST(Service, says_what_has_no_effect) {
  const std::string attack = "attacks { targets { count: 4 longest: 10 } inf_mag {} } ";
  EXPECT_EQ(events(served(attack)), std::set<std::string>());
  EXPECT_THAT(events(served(attack, "gcn { hidden: 8 }")), ::testing::Contains("idle attack"));
  for (const char* idle :
       {"", "principals { name: \"a\" } principals { name: \"b\" } ", "evolution { arrivals: 0.001 } ",
        "evolution { per_pair: true } ", "evolution { drift: 0.1 centre: AT_TARGET } "}) {
    EXPECT_THAT(events(served(idle + std::string(*idle == 0 ? "" : attack))), ::testing::Contains("idle service"))
        << idle;
  }
}

TEST(Service, says_which_defences_clip_nothing) {
  const std::string attack = "attacks { targets { count: 2 longest: 4 } inf_mag {} } ";
  const auto told = [&](const std::string& answers) { return events(served("answers { " + answers + " } " + attack)); };
  for (const char* idle :
       {"defences { clipped { low: 0 high: 1 } }", "form: LABEL defences { clipped { low: -3 high: 2 } }",
        "defences { clipped { high: 0.7 } } defences { clipped { high: 0.8 } }"}) {
    EXPECT_THAT(told(idle), ::testing::Contains("idle service")) << idle;
  }
  for (const char* busy :
       {"defences { clipped { low: 0 high: 0.9 } }", "form: LOGITS defences { clipped { low: -99 high: 99 } }",
        "defences { noisy {} } defences { clipped { low: 0 high: 1 } }"}) {
    EXPECT_THAT(told(busy), ::testing::Not(::testing::Contains("idle service"))) << busy;
  }
}

TEST(Service, says_which_changes_are_lost_in_rounding) {
  const std::string rights = "principals { " + everything + "} ";
  const auto told = [&](const std::string& more, const std::string& attack) {
    return events(served(more + rights + "attacks { targets { count: 2 longest: 4 } " + attack + " } "))
        .contains("idle attack");
  };
  for (const std::string name : {"inf_mag", "inf_dir", "inf_dir_star", "link_teller"}) {
    EXPECT_TRUE(told("", name + " { delta: 1e-17 }")) << name;
    EXPECT_FALSE(told("", name + " { delta: 1e-9 }")) << name;
    EXPECT_TRUE(told("precision: SINGLE ", name + " { delta: 1e-9 }")) << name;
    EXPECT_FALSE(told("precision: SINGLE ", name + " { delta: 1e-4 }")) << name;
  }
}

TEST(Service, tells_of_numbers_that_are_too_large) {
  const Simulated run = simulate(served(
      "answers { form: LOGITS } attacks { targets { count: 2 longest: 4 } inf_dir_star { times: 1000 delta: 1000 } "
      "} "));
  const auto told = std::ranges::count_if(run.records.back().events,
                                          [](const EventRow& event) { return event.kind == "scores overflow"; });
  EXPECT_EQ(told, 1);
}

TEST(Service, refuses_what_cannot_be_served) {
  EXPECT_THAT(
      refusal_of("rounds: 1 task { data { glyphs { train_samples: 50 test_samples: 10 } } model { logreg {} } } "
                 "participants { clients: 2 } service {} "),
      HasSubstr("service: answers about nodes of a graph"));
  EXPECT_THAT(refusal_of(served("from_round: 9 ")), HasSubstr("service.from_round = 9: the run ends with round 3"));
  EXPECT_THAT(refusal_of(served("principals { name: \"a\" } principals { name: \"a\" } ")),
              HasSubstr("service.principals[1].name = \"a\": another one is called so"));
  EXPECT_THAT(refusal_of(served("principals { client: 3 } ")),
              HasSubstr("service.principals[0].client = 3: there are 1"));
  EXPECT_THAT(refusal_of(served("attacks { principal: \"who\" inf_mag {} } ")),
              HasSubstr("service.attacks[0].principal = \"who\": no principal of the service is called so"));
  EXPECT_THAT(refusal_of(served("attacks { inf_mag {} } attacks { inf_mag {} } ")),
              HasSubstr("service.attacks[1].name: another attack is called \"inf_mag\", too"));
  EXPECT_THAT(refusal_of(served("attacks { targets { degree_low: 140 } inf_mag {} } ")),
              HasSubstr("service.attacks[0]: no node, or no edge"));
  EXPECT_THAT(refusal_of(served("answers { defences { top_values { k: 3 } } } ")),
              HasSubstr("service.answers.defences[0].top_values.k = 3: an answer has 3 values"));
  EXPECT_THAT(refusal_of(served("attacks { inf_dir { features: ZERO } } ")),
              HasSubstr("service.attacks[0]: inf_dir.features"));
  EXPECT_THAT(refusal_of(served("principals { prices { read: 1e-9 } } ")),
              HasSubstr("less than a millionth of a credit"));
}

TEST(Service, gives_a_client_its_own_nodes) {
  const std::string text = served(
      "principals { client: 0 rights: [READ_OWN, READ_ANY, WRITE_ANY] } attacks { nodes { "
      "count: 20 } among: TRAIN_NODES link_teller {} } ");
  EXPECT_GT(last(simulate(text), "edges.link_teller.auc"), 0.9);
}

}  // namespace
}  // namespace souk::edge_attacks_test
