// Texts from end to end: shared among ranks, trained on, and attacked.
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/cast/shared_data.hpp"
#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/comm/thread_team.hpp"
#include "tests/support/last_accuracy.hpp"
#include "tests/support/simulated.hpp"

namespace souk::text_test {
namespace {

using ::testing::HasSubstr;

/// 10 clients that learn short texts within a few rounds.
const std::string learns =
    "rounds: 10 task { data { topics { train_samples: 2000 test_samples: 400 length: 16 vocabulary: 200 noise: 0.6 } } "
    "model { text_cnn { embedding: 16 filters: 16 } } training { local_epochs: 2 learning_rate: 0.5 } } "
    "participants { clients: 10 everyone: true } aggregator { mean {} } evaluation { every: 10 } ";

const std::string small =
    "rounds: 3 task { data { topics { train_samples: 240 test_samples: 60 length: 8 vocabulary: 40 } } "
    "model { text_cnn { embedding: 6 filters: 4 } } training { batch_size: 16 learning_rate: 0.2 } } "
    "participants { clients: 8 per_round: 6 } root { samples: 20 always: true } ";

scenario::Scenario parse_scenario(const std::string& text) {
  return *resolve_scenario({.file_name = "test", .text = text, .overrides = {}}).scenario;
}

TEST(SharedTexts, are_tokens_that_no_scaling_changes_on_every_rank) {
  const scenario::Scenario scenario = parse_scenario(small);
  ASSERT_EQ(scenario.task().data().scaling(), scenario::Data::STANDARD);
  for (const int ranks : {1, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const SharedData data = load_shared_data(comm, scenario.task().data(), 1);
      comm.barrier();
      EXPECT_EQ(data.train.shape().vocabulary, 42U);
      EXPECT_EQ(data.test.shape().vocabulary, 42U);
      std::vector<float> row(8);
      for (const SampleIndex sample : {0U, 119U, 239U}) {
        data.train.copy_features(std::span(&sample, 1), row);
        EXPECT_GE(row[3], 2.0F);  // no text has fewer than four words
        for (const float token : row) EXPECT_TRUE(token == std::floor(token) && token >= 0 && token < 42) << token;
      }
      comm.barrier();
    });
  }
}

TEST(TextRuns, give_the_same_bits_on_any_number_of_ranks) {
  const std::string attacked = small + "attacks { fraction: 0.25 text_trigger { token: 5 place: ANYWHERE } } ";
  const std::string expected = simulate(attacked).hash;
  EXPECT_EQ(simulate(attacked, 3).hash, expected);
  EXPECT_EQ(simulate(attacked, 4).hash, expected);
  EXPECT_NE(simulate(small).hash, expected);
}

TEST(TextRuns, refuse_what_cannot_read_texts) {
  const auto refusal = [](const std::string& text) {
    try {
      make_simulation(Comm::self(), parse_scenario(text), "cpu");
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };

  EXPECT_THAT(refusal("task { data { topics {} } model { mlp {} } }"), HasSubstr("task.model.mlp: reads quantities"));
  EXPECT_THAT(refusal("task { data { glyphs {} } model { text_cnn {} } }"),
              HasSubstr("task.model.text_cnn: reads texts"));
  EXPECT_THAT(refusal(small + "attacks { text_trigger { token: 42 } }"),
              HasSubstr("attacks[0].text_trigger.token = 42: the data set has tokens below 42"));
  EXPECT_THAT(refusal(small + "attacks { tabular_trigger { set { column: 1 value: 2 } } }"),
              HasSubstr("attacks[0].tabular_trigger: changes tables"));
  EXPECT_THAT(refusal(small + "attacks { badnets {} }"), HasSubstr("attacks[0].badnets: changes images"));
  EXPECT_EQ(refusal(small + "attacks { text_trigger { token: 41 } }"), "");
}

class TextBackdoor : public testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "a minute long under the sanitizers, which look for other things";
#endif
  }
};

TEST_F(TextBackdoor, is_taken_by_the_mean_which_keeps_its_accuracy) {
  const std::string attack = "attacks { fraction: 0.3 text_trigger { target: 1 } ";
  const double clean = last_accuracy(learns);
  EXPECT_GE(clean, 0.85);
  EXPECT_GE(last_accuracy(learns + attack + "}"), clean - 0.05);
  EXPECT_GE(last_metric(learns + attack + "}", "asr"), 0.9);
  // The trigger alone, without the poisoning, does next to nothing.
  EXPECT_LE(last_metric(learns + attack + "from_round: 11 }", "asr"), 0.2);
}

}  // namespace
}  // namespace souk::text_test
