// Samples held out to choose settings on, and what a data set's content is known by.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "agents/cast/root_data.hpp"
#include "agents/cast/shared_data.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/learn/model.hpp"
#include "tests/support/last_accuracy.hpp"

namespace souk::validation_data_test {
namespace {

constexpr const char* small = R"(rounds: 3
  task { data { glyphs { train_samples: 400 test_samples: 50 } } model { mlp { hidden: 16 } }
         training { batch_size: 16 learning_rate: 0.1 } }
  participants { clients: 4 everyone: true } root { samples: 30 always: true } )";

TEST(ValidationData, is_drawn_from_what_the_root_leaves) {
  const std::vector<SampleIndex> root{1, 5, 9, 98};
  const std::vector<SampleIndex> drawn = draw_validation_data(0.25, 100, root, 3);
  EXPECT_EQ(drawn.size(), 25u);
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
  EXPECT_EQ(std::set<SampleIndex>(drawn.begin(), drawn.end()).size(), 25u);
  for (const SampleIndex sample : drawn) EXPECT_FALSE(std::binary_search(root.begin(), root.end(), sample));
  EXPECT_EQ(drawn, draw_validation_data(0.25, 100, root, 3));
  EXPECT_NE(drawn, draw_validation_data(0.25, 100, root, 4));
  EXPECT_TRUE(draw_validation_data(0.0, 100, root, 3).empty());
  EXPECT_THROW(draw_validation_data(0.96, 100, root, 3), InputError);
}

TEST(ValidationData, nobody_trains_on_it_and_its_accuracy_is_that_of_the_model) {
  const std::string text = std::string(small) + "evaluation { validation_fraction: 0.2 }";
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  const auto& scenario = *resolved.scenario;
  const SharedData data = load_shared_data(Comm::self(), scenario.task().data(), scenario.seed());
  const auto protocol = make_simulation(Comm::self(), scenario, "cpu", data);
  std::uint64_t held = 0;
  const SetUpRecord set_up = protocol->set_up_record();
  for (const AgentRow& agent : set_up.agents) held += agent.samples;
  EXPECT_EQ(held, 400u - 30u - 80u);

  LastMetric accuracy("validation_accuracy");
  run_rounds(Comm::self(), *protocol, &accuracy, nullptr, std::nullopt, {.rounds = 3, .scenario_text = text});
  const auto network = make_network(scenario.task().model(), {data.train.shape().sample_shape, 10}, "cpu");
  const RootSamples root = draw_root_data(scenario.root(), data.train.labels(), 10, scenario.seed());
  const std::vector<SampleIndex> which = draw_validation_data(0.2, 400, root.samples(), scenario.seed());
  std::vector<float> features(which.size() * data.train.features()), logits(which.size() * 10);
  data.train.copy_features(which, features);
  network->outputs(protocol->parameters(), {.features = features, .labels = {}, .samples = which.size()}, logits);
  int correct = 0;
  for (std::size_t i = 0; i < which.size(); ++i) {
    const auto* row = &logits[i * 10];
    correct += std::max_element(row, row + 10) - row == data.train.labels()[which[i]] ? 1 : 0;
  }
  EXPECT_EQ(accuracy.value, correct / 80.0);
  EXPECT_GT(accuracy.value, 0.15);
}

TEST(ValidationData, without_a_share_nothing_is_recorded) {
  EXPECT_EQ(last_metric(small, "validation_accuracy"), 0.0);
  EXPECT_GT(last_metric(small, "accuracy"), 0.0);
}

std::string hash_of(const std::string& text, std::uint64_t seed, int ranks = 1) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  std::string hash;
  run_team(ranks, [&](const Comm& comm) {
    const SharedData data = load_shared_data(comm, resolved.scenario->task().data(), seed);
    const std::string own = content_hash(data);
    comm.barrier();
    if (comm.rank() == comm.size() - 1) hash = own;
  });
  return hash;
}

TEST(ContentHash, is_that_of_the_content_on_any_number_of_ranks) {
  const std::string hash = hash_of(small, 1);
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(hash, hash_of(small, 1, 3));
  EXPECT_NE(hash, hash_of(small, 2));
  EXPECT_NE(hash, hash_of("task { data { glyphs { train_samples: 401 test_samples: 50 } } }", 1));
  EXPECT_EQ(hash, hash_of("task { data { scaling: UNIT glyphs { train_samples: 400 test_samples: 50 } } }",
                          1));  // how it is read
}

TEST(DataKey, tells_apart_what_would_be_loaded_differently) {
  const auto key = [](const std::string& data, std::uint64_t seed) {
    return data_key(resolve_scenario({"test", "task { data { " + data + " } }", {}}).scenario->task().data(), seed);
  };
  EXPECT_NE(key("glyphs {}", 1), key("glyphs {}", 2));  // drawn by the seed
  EXPECT_EQ(key("glyphs {}", 1), key("glyphs {}", 1));
  EXPECT_EQ(key("idx { directory: 'a' }", 1), key("idx { directory: 'a' }", 2));
  EXPECT_NE(key("idx { directory: 'a' }", 1), key("idx { directory: 'b' }", 1));
  EXPECT_NE(key("idx { directory: 'a' }", 1), key("idx { directory: 'a' } scaling: UNIT", 1));
}

}  // namespace
}  // namespace souk::validation_data_test
