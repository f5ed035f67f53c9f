// Data that people bring, from end to end: shared among ranks, dealt, trained on, attacked, and too large.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agents/cast/shared_data.hpp"
#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"
#include "tests/support/simulated.hpp"

namespace souk::own_data_test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class OwnData : public testing::Test {
 protected:
  OwnData() {
    directory_ = fs::path(testing::TempDir()) / fmt::format("souk_own_data_{}", getpid());
    fs::create_directories(directory_);
  }
  ~OwnData() override { fs::remove_all(directory_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  }
  static scenario::Scenario parse_scenario(const std::string& text) {
    return *resolve_scenario({.file_name = "test", .text = text, .overrides = {}}).scenario;
  }
  static std::string refusal_of(const std::string& text) {
    std::string message;
    run_team(1, [&](const Comm& comm) {
      try {
        const scenario::Scenario scenario = parse_scenario(text);
        make_simulation(comm, scenario, "cpu");
      } catch (const PhaseError& error) {
        message = error.what();
      }
    });
    return message;
  }
  /// Hash of the parameters after all rounds; fills `at_start`.
  static std::string run(const std::string& text, int ranks, SetUpRecord* at_start = nullptr) {
    Simulated simulated = simulate(text, ranks);
    if (at_start != nullptr) *at_start = std::move(simulated.set_up);
    return simulated.hash;
  }
  fs::path directory_;
};

TEST_F(OwnData, networks_that_no_node_can_hold_are_refused_from_their_layers) {
  const std::string data = "task { data { glyphs { train_samples: 100 test_samples: 20 } } ";
  EXPECT_THAT(refusal_of(data + "model { mlp { hidden: [65536, 65536, 65536, 65536, 65536, 65536] } } }"),
              AllOf(HasSubstr("task.model: the network has 21527265290 parameters"), HasSubstr("this node has")));
  EXPECT_THAT(refusal_of("task { data { topics { train_samples: 100 test_samples: 20 vocabulary: 1000000 } } "
                         "model { text_cnn { embedding: 1024 } } } participants { clients: 1000 everyone: true }"),
              HasSubstr("task.model: the network has"));
}

TEST_F(OwnData, tables_of_clients_and_classes_that_no_node_can_hold_are_refused) {
  EXPECT_THAT(refusal_of("task { data { baskets { train_samples: 20000 test_samples: 10 classes: 10000 features: 2 } } "
                         "model { logreg {} } } participants { clients: 10000000 per_round: 10 }"),
              HasSubstr("participants.clients = 10000000: to count the samples of 10000 classes of each takes 400 GB"));
}

TEST_F(OwnData, leafs_users_are_clients_on_any_number_of_ranks) {
  std::string json = R"({"user_data": {)";
  for (int u = 0; u < 6; ++u) {
    json += fmt::format(R"({}"u{}": {{"x": [)", u == 0 ? "" : ",", u);
    for (int i = 0; i < 10 + u; ++i) json += fmt::format("{}[{}, {}]", i == 0 ? "" : ",", i % 2, u);
    json += "], \"y\": [";
    for (int i = 0; i < 10 + u; ++i) json += fmt::format("{}{}", i == 0 ? "" : ",", i % 2);
    json += "]}";
  }
  const std::string path = write("all.json", json + "}}");
  const std::string text =
      "rounds: 3 task { data { leaf { train: '" + path + "' test: '" + path +
      "' } } model { logreg {} } } participants { clients: 6 everyone: true } partition { natural {} }";
  SetUpRecord record;
  const std::string alone = run(text, 1, &record);
  ASSERT_EQ(record.agents.size(), 6U);
  for (std::size_t u = 0; u < 6; ++u) EXPECT_EQ(record.agents[u].samples, 10 + u);
  EXPECT_EQ(run(text, 3), alone);
}

std::string people() {
  std::string table = "left,age,city\n";
  for (int i = 0; i < 60; ++i) table += fmt::format("{},{},{}\n", i % 2, i % 16, i % 3 == 0 ? "Bonn" : "Kiel");
  return table;
}

TEST_F(OwnData, triggers_name_columns_on_any_number_of_ranks_and_odd_values_are_events) {
  const std::string path = write("people.csv", people());
  const auto text = [&](const std::string& condition) {
    return "rounds: 2 task { data { csv { train: '" + path +
           "' label: 'left' } } model { logreg {} } } "
           "participants { clients: 4 everyone: true } "
           "attacks { count: 2 tabular_trigger { set { " +
           condition + " } set { name: 'city' category: 'Bonn' } } }";
  };
  SetUpRecord inside, beyond;
  const std::string by_name = run(text("name: 'age' value: 15"), 1, &inside);
  EXPECT_EQ(run(text("column: 1 value: 15"), 3), by_name);
  run(text("name: 'age' value: 1e9"), 1, &beyond);
  EXPECT_TRUE(inside.events.empty());
  ASSERT_EQ(beyond.events.size(), 1U);
  EXPECT_THAT(beyond.events[0].text, HasSubstr("attacks[0].tabular_trigger.set[0].value = 1000000000: lies beyond the "
                                               "column's values in training, 0 to 15"));
  EXPECT_THAT(refusal_of(text("column: 0")), HasSubstr("attacks[0].tabular_trigger.set[0].column = 0: is no feature"));
}

TEST_F(OwnData, is_described_in_one_line) {
  const std::string path = write("people.csv", people());
  const scenario::Scenario scenario =
      parse_scenario("task { data { csv { train: '" + path + "' label: 'city' test: '" + path + "' } } }");
  run_team(2, [&](const Comm& comm) {
    const SharedData data = load_shared_data(comm, scenario.task().data(), 1);
    EXPECT_EQ(describe(data), "60 training and 60 test samples of 2 features, 2 classes: Bonn 20, Kiel 40");
    EXPECT_EQ(data.train.shape().columns.size(), 2U);  // on every rank
  });
}

TEST_F(OwnData, is_shared_between_seeds_where_nothing_is_drawn) {
  const auto key = [](const std::string& source, std::uint64_t seed) {
    return data_key(parse_scenario("task { data { " + source + " } }").task().data(), seed);
  };
  for (const char* drawn :
       {"csv { train: 'a' }", "npy { path: 'a' test_features: '' test_labels: '' }", "glyphs {}",
        "lines { train: 'a' }", "leaf { train: 'a' }", "ag_news { train: 'a' }", "planetoid { graph { random {} } }",
        "planetoid { graph { per_class {} } }", "musae { graph { random {} } }", "ogb_nodes { graph { edge_rand {} } }",
        "linqs { graph { random { seed: 3 } lap_graph {} } }", "temporal_edges { graph { random {} } }",
        "temporal_edges { graph { temporal {} edge_rand {} } }", "communities {}"}) {
    EXPECT_NE(key(drawn, 1), key(drawn, 2)) << drawn;
  }
  for (const char* fixed :
       {"csv { train: 'a' test: 'b' }", "csv { train: 'a' split_seed: 3 }", "npy { path: 'a' }",
        "lines { train: 'a' test: 'b' }", "leaf { train: 'a' split_seed: 1 }", "idx { directory: 'a' }", "planetoid {}",
        "planetoid { graph { published {} } }", "planetoid { graph { random { seed: 3 } } }",
        "musae { graph { per_class { seed: 3 } } }", "temporal_edges { path: 'a' graph { temporal {} } }"}) {
    EXPECT_EQ(key(fixed, 1), key(fixed, 2)) << fixed;
  }
}

}  // namespace
}  // namespace souk::own_data_test
