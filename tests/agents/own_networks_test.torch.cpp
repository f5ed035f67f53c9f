// Runs whose network is a module of PyTorch's.
#include <string>

#include <gmock/gmock.h>

#include "agents/training/saved_model.hpp"
#include "agents/training/source_files.hpp"
#include "tests/sim/learn/script_fixtures.torch.hpp"
#include "tests/support/simulated.hpp"

namespace souk::own_networks_test {
namespace {

using scripts::batch_norm;
using scripts::conv2d;
using scripts::dropout;
using scripts::linear;
using scripts::net;
using scripts::saved;
using testing::HasSubstr;

/// With everything that could depend on ranks: dropout, running statistics.
std::string model_text() {
  return saved(
      net({{"conv", conv2d(1, 3, 5)}, {"norm", batch_norm(3)}, {"dropout", dropout(0.3)}, {"fc", linear(108, 10)}},
          "y = torch.max_pool2d(torch.relu(self.norm(self.conv(x))), [4, 4])\n"
          "  return self.fc(self.dropout(torch.flatten(y, 1)))"),
      "first_values: DRAWN");
}

std::string scenario_with(const std::string& model, const std::string& rule, const std::string& more = "") {
  return "rounds: 4 task { data { glyphs { train_samples: 240 test_samples: 60 } } model { " + model +
         " } training { batch_size: 16 learning_rate: 0.1 local_epochs: 2 } } participants { clients: 8 per_round: 6 } "
         "root { samples: 20 } aggregator { " +
         rule + " } attacks { members { id: 1 id: 4 } sign_flip {} } " + more;
}

TEST(OwnNetworks, give_the_same_bits_on_any_number_of_ranks_and_after_a_resume) {
  const std::string text = scenario_with(model_text(), "fltrust {}");
  const Simulated alone = simulate(text);
  EXPECT_EQ(simulate(text, 3).hash, alone.hash);
  EXPECT_EQ(simulate(text, 2, 2).hash, alone.hash);
  EXPECT_EQ(simulate(text, 1, 3).state, alone.state);
}

TEST(OwnNetworks, draw_otherwise_by_another_seed) {
  const std::string from_file = saved(
      net({{"dropout", dropout(0.3)}, {"fc", linear(784, 10)}}, "return self.fc(self.dropout(torch.flatten(x, 1)))"));
  // Everything but dropout is the same: who takes part, the order of batches, the data and the first values.
  const std::string text = scenario_with(from_file, "mean {}");
  const std::string without = saved(
      net({{"dropout", dropout(0.0)}, {"fc", linear(784, 10)}}, "return self.fc(self.dropout(torch.flatten(x, 1)))"),
      "", "without.pt");
  EXPECT_NE(simulate(text).hash, simulate(scenario_with(without, "mean {}")).hash);
  EXPECT_EQ(simulate(text).hash, simulate(text).hash);
}

TEST(OwnNetworks, train_under_rules_that_ask_for_losses_and_gradients) {
  const std::string model = model_text();
  for (const char* rule : {"zeno_pp {}", "skymask {}"}) {
    const std::string text = scenario_with(model, rule);
    EXPECT_EQ(simulate(text, 2).hash, simulate(text).hash) << rule;
  }
}

TEST(OwnNetworks, make_their_files_part_of_what_a_run_is) {
  const std::string text = scenario_with(model_text(), "mean {}");
  const auto hash = [&] {
    const auto resolved = resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
    EXPECT_EQ(source_files(*resolved.scenario).at(0).field, "task.model.torchscript.file");
    return contents_hash(*resolved.scenario, "data");
  };
  const std::string before = hash();
  EXPECT_EQ(hash(), before);
  saved(net({{"fc", linear(784, 10)}}, "return self.fc(torch.flatten(x, 1))"));
  EXPECT_NE(hash(), before);
}

TEST(OwnNetworks, are_refused_for_nodes_of_graphs) {
  EXPECT_THAT(refusal_of("rounds: 1 task { data { communities {} } model { " + model_text() +
                         " } } participants { clients: 2 everyone: true }"),
              HasSubstr("task.model.torchscript: reads rows, and the samples of the data set are nodes of a graph"));
}

}  // namespace
}  // namespace souk::own_networks_test
