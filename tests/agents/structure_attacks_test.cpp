// Federated graph networks some of whose clients train on edges that are not there.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attacks/attack.hpp"
#include "sim/base/plugin_registry.hpp"
#include "tests/support/simulated.hpp"

namespace souk::structure_attacks_test {
namespace {

using ::testing::HasSubstr;

/// Six clients, of which `attacks` has some.
std::string federation(const std::string& attacks, const std::string& model = "gcn { hidden: 8 }",
                       const std::string& training = "batch_size: 0", const std::string& graph = "") {
  return "rounds: 3 task { data { communities { custom { nodes: 240 edges: 700 classes: 3 features: 40 } graph { " +
         graph + " } } scaling: ROWS } model { " + model + " } training { " + training +
         " local_epochs: 4 learning_rate: 0.05 adam {} } } participants { clients: 6 "
         "everyone: true } aggregator { mean {} } " +
         attacks;
}

std::vector<std::string> names() { return PluginRegistry<StructureAttack>::instance().names(); }

std::string members(const std::string& attack) { return "attacks { members { id: 1 id: 4 } " + attack + " } "; }

TEST(StructureAttacks, give_the_same_bits_on_any_number_of_ranks_and_after_a_resume) {
  for (const std::string& name : names()) {
    for (const char* sight : {"", "sight: OWN_NODES"}) {
      const std::string text = federation(members(name + " {}"), "gcn { hidden: 8 }", "batch_size: 0", sight);
      const Simulated alone = simulate(text);
      EXPECT_EQ(simulate(text, 3).hash, alone.hash) << name;
      const Simulated resumed = simulate(text, 2, 1);
      EXPECT_EQ(resumed.hash, alone.hash) << name;
      EXPECT_EQ(resumed.state, alone.state) << name;
      EXPECT_NE(simulate(federation("", "gcn { hidden: 8 }", "batch_size: 0", sight)).hash, alone.hash) << name;
    }
  }
}

/// What is measured of a client in the first round.
std::vector<double> work_of(const Simulated& run, std::int64_t client) {
  std::vector<double> work;
  for (const MetricValue& metric : run.records.front().metrics) {
    if (metric.agent == client && metric.name != "cosine_to_aggregate") work.push_back(metric.value);
  }
  return work;
}

TEST(StructureAttacks, change_what_members_train_and_nobody_elses_work) {
  for (const std::string& name : names()) {
    for (const char* training : {"batch_size: 0", "batch_size: 8 sampled_neighbours: [5, 5]"}) {
      const Simulated clean = simulate(federation("", "gcn { hidden: 8 }", training));
      const Simulated attacked = simulate(federation(members(name + " {}"), "gcn { hidden: 8 }", training));
      for (std::int64_t client = 0; client < 6; ++client) {
        EXPECT_FALSE(work_of(clean, client).empty());
        const bool member = client == 1 || client == 4;
        EXPECT_EQ(work_of(attacked, client) != work_of(clean, client), member) << name << " " << client;
      }
    }
  }
}

TEST(StructureAttacks, act_in_their_rounds_alone) {
  for (const std::string& name : names()) {
    const std::string late = "attacks { members { id: 1 id: 4 } from_round: 3 " + name + " {} } ";
    const Simulated attacked = simulate(federation(late)), clean = simulate(federation(""));
    EXPECT_EQ(work_of(attacked, 1), work_of(clean, 1));
    EXPECT_NE(attacked.hash, clean.hash);
  }
}

TEST(StructureAttacks, work_beside_attacks_on_classes_and_updates) {
  for (const std::string& name : names()) {
    const std::string alone = simulate(federation(members(name + " {}"))).hash;
    EXPECT_NE(simulate(federation(members(name + " {} label_flip {}"))).hash, alone);
    EXPECT_NE(simulate(federation(members(name + " {} scaling { factor: 3 }"))).hash, alone);
    EXPECT_NE(simulate(federation(members(name + " {} constrain_and_scale {} label_flip {}"))).hash,
              simulate(federation(members("constrain_and_scale {} label_flip {}"))).hash);
  }
}

TEST(StructureAttacks, are_refused_where_there_are_no_edges_to_insert) {
  for (const std::string& name : names()) {
    const std::string rows =
        "rounds: 1 task { data { glyphs { train_samples: 100 test_samples: 20 } } } participants { clients: 6 } "
        "aggregator { mean {} } " +
        members(name + " {}");
    EXPECT_THAT(refusal_of(rows), HasSubstr("attacks[0]." + name + ": inserts edges, and the samples of the data set"));
    EXPECT_THAT(refusal_of(federation(members(name + " {}"), "mlp {}")),
                HasSubstr("attacks[0]." + name + ": inserts edges, and the network mlp reads none"));
  }
  for (const char* model : {"sage {}", "gat {}", "gin {}", "gcn { normalization: PLUS_IDENTITY }"}) {
    EXPECT_THAT(refusal_of(federation(members("gradient_edges {}"), model)),
                HasSubstr("attacks[0].gradient_edges: takes derivatives of layers"));
    EXPECT_EQ(refusal_of(federation(members("random_edges {}"), model)), "");
  }
}

TEST(StructureAttacks, say_which_members_insert_nothing) {
  const Simulated few = simulate(federation(members("random_edges { share: 0.0001 }")));
  std::string told;
  for (const EventRow& event : few.set_up.events) told += event.kind + ": " + event.text;
  EXPECT_THAT(told, HasSubstr("idle attack: attacks[0].random_edges: clients 1, 4 insert no edge"));
}

}  // namespace
}  // namespace souk::structure_attacks_test
