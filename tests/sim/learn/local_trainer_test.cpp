#include "sim/learn/local_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/learn/row_learner.hpp"
#include "sim/learn/tasks/classification.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::local_trainer_test {
namespace {

using fixtures::model;
using fixtures::parse;
using fixtures::relative_distance;
using ::testing::Each;
using ::testing::ElementsAre;

/// A data set in memory: class k has mean 2 in feature k, and unit noise of a quarter.
struct Clusters {
  explicit Clusters(std::size_t samples, std::array<std::size_t, 3> sample_shape = {8, 1, 1}, int classes = 4)
      : shape{.samples = samples,
              .sample_shape = sample_shape,
              .class_names = std::vector<std::string>(static_cast<std::size_t>(classes), "class")},
        features(fixtures::normal_values(samples * shape.features(), 3)),
        labels(samples),
        network_shape{.input = sample_shape, .classes = classes} {
    for (float& value : features) value *= 0.25F;
    for (std::size_t i = 0; i < samples; ++i) {
      labels[i] = static_cast<std::int32_t>(i) % classes;
      features[i * shape.features() + static_cast<std::size_t>(labels[i])] += 2.0F;
    }
  }
  Dataset data() {
    return Dataset(shape, {.u8 = {}, .f32 = features, .labels = labels, .groups = {}}, raw_scaling(shape));
  }
  std::vector<SampleIndex> all() const {
    std::vector<SampleIndex> indices(shape.samples);
    std::iota(indices.begin(), indices.end(), SampleIndex{0});
    return indices;
  }
  DatasetShape shape;
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  ModelShape network_shape;
};

struct Trained {
  LocalResult result;
  std::vector<float> update;
};

struct Client;

/// The trainer of a client, and what it asks.
struct Trainer {
  Trainer(const std::string& training, Client& client);
  Dataset data;
  RowLearner learner;
  LocalTrainer trainer;
};

/// One client's training from the initial parameters, with the numbers it is called with.
struct Client {
  explicit Client(Clusters& of, const std::string& network_text = "logreg {}")
      : clusters(of), network(make_network(model(network_text), of.network_shape, "cpu")) {
    global = fixtures::initial_parameters(*network);
  }
  Trained train(const std::string& training, const BatchEdit& edit = {}) {
    Trainer trainer(training, *this);
    return train(trainer.trainer, edit);
  }
  Trained train(LocalTrainer& trainer, const BatchEdit& edit = {}) {
    Trained trained{.result = {}, .update = std::vector<float>(global.size(), 99.0F)};
    const auto mine = clusters.all();
    trained.result = trainer.train(global, mine, edit, context, trained.update);
    return trained;
  }
  Clusters& clusters;
  std::unique_ptr<Network> network;
  std::vector<float> global;
  LocalContext context{.agent = AgentId{3}, .round = RoundIndex{1}};
};

Trainer::Trainer(const std::string& training, Client& client)
    : data(client.clusters.data()),
      learner(parse<scenario::Training>(training), *client.network, data),
      trainer(parse<scenario::Training>(training), learner) {}

/// Samples of every class that these parameters classify correctly.
std::vector<double> correct_of_class(Client& client, std::span<const float> parameters, Clusters& clusters) {
  std::vector<double> correct(static_cast<std::size_t>(clusters.network_shape.classes));
  const Batch batch{.features = clusters.features, .samples = clusters.labels.size()};
  const auto answers = predicted_classes(fixtures::logits(*client.network, parameters, batch), correct.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i] == clusters.labels[i]) correct[static_cast<std::size_t>(answers[i])] += 1.0;
  }
  return correct;
}

TEST(LocalTrainer, takes_every_sample_once_per_pass_and_keeps_the_short_last_batch) {
  Clusters clusters(10);
  Client client(clusters);
  std::vector<std::size_t> sizes;
  std::multiset<SampleIndex> seen;

  const auto trained = client.train("batch_size: 4 local_epochs: 2", [&](const EditableBatch& batch) {
    sizes.push_back(batch.which.size());
    seen.insert(batch.which.begin(), batch.which.end());
  });

  EXPECT_THAT(sizes, ElementsAre(4, 4, 2, 4, 4, 2));
  for (SampleIndex sample = 0; sample < 10; ++sample) EXPECT_EQ(seen.count(sample), 2U);
  EXPECT_EQ(trained.result.steps, 6U);
  EXPECT_EQ(trained.result.samples, 10U);
}

/// A linear term of the objective, by hand before every step.
TEST(LocalTrainer, adds_a_slope_to_every_gradient) {
  for (const char* optimizer : {"sgd {}", "sgd { momentum: 0.9 weight_decay: 0.1 }", "adam {}", "adamw {}"}) {
    for (const char* network : {"logreg {}", "mlp { hidden: 6 }"}) {
      Clusters clusters(20);
      Client client(clusters, network);
      const std::string training = std::string("batch_size: 8 local_epochs: 3 ") + optimizer;
      const std::vector<float> slope = fixtures::normal_values(client.network->layout().trainable(), 11);
      const Steering by_hand{.before_step = [&](std::span<const float>, std::span<float> gradient) {
        for (std::size_t v = 0; v < gradient.size(); ++v) gradient[v] += slope[v];
      }};
      client.context.steering = &by_hand;
      const std::vector<float> wanted = client.train(training).update;
      client.context.steering = nullptr;
      const std::vector<float> without = client.train(training).update;
      client.context.slope = slope;
      EXPECT_EQ(client.train(training).update, wanted) << optimizer << network;
      EXPECT_NE(without, wanted) << optimizer << network;
    }
  }
}

TEST(LocalTrainer, takes_a_given_number_of_steps_over_as_many_passes_as_needed) {
  Clusters clusters(10);
  Client client(clusters);

  const auto trained = client.train("batch_size: 4 local_steps: 7");

  EXPECT_EQ(trained.result.steps, 7U);
}

TEST(LocalTrainer, repeats_no_order_after_65536_passes) {
  // One batch of 10 a pass: two orders of 10 samples are alike by chance once in 3,628,800.
  Clusters clusters(10);
  Client client(clusters);
  constexpr std::size_t lanes = 65536;
  std::vector<std::vector<SampleIndex>> early, late;
  std::size_t pass = 0;
  client.train("batch_size: 10 local_steps: 65560", [&](const EditableBatch& batch) {
    if (pass < 24) early.emplace_back(batch.which.begin(), batch.which.end());
    if (pass >= lanes) late.emplace_back(batch.which.begin(), batch.which.end());
    ++pass;
  });
  ASSERT_EQ(late.size(), early.size());
  for (std::size_t p = 0; p < early.size(); ++p) EXPECT_NE(late[p], early[p]) << p;
}

TEST(LocalTrainer, takes_all_samples_at_once_where_the_batch_size_is_0) {
  Clusters clusters(10);
  Client client(clusters);

  EXPECT_EQ(client.train("batch_size: 0").result.steps, 1U);
}

TEST(LocalTrainer, updates_by_minus_rate_times_gradient_in_one_step) {
  Clusters clusters(10);
  Client client(clusters);
  const Batch batch{.features = clusters.features, .labels = clusters.labels, .samples = 10};
  auto expected = fixtures::loss_and_gradient(*client.network, client.global, batch).gradient;
  for (float& value : expected) value *= -0.5F;

  const auto averaged = client.train("batch_size: 0 learning_rate: 0.5");
  const auto at_once = client.train("algorithm: FED_SGD batch_size: 0 learning_rate: 0.5");
  const auto in_parts = client.train("algorithm: FED_SGD batch_size: 3 learning_rate: 0.5");

  // local - global loses the digits that global + step rounds away: 1e-7 of parameters around 0.3.
  EXPECT_LT(relative_distance(averaged.update, expected), 1e-5);
  EXPECT_LT(relative_distance(at_once.update, expected), 1e-5);
  EXPECT_LT(relative_distance(in_parts.update, expected), 1e-5);
  EXPECT_EQ(in_parts.result.steps, 1U);
  EXPECT_NEAR(in_parts.result.loss, averaged.result.loss, 1e-6);
}

TEST(LocalTrainer, refuses_settings_that_one_step_cannot_follow) {
  Clusters clusters(4);
  Client client(clusters);

  EXPECT_THROW(client.train("algorithm: FED_SGD local_epochs: 2"), InputError);
  EXPECT_THROW(client.train("algorithm: FED_SGD adam {}"), InputError);
  EXPECT_THROW(client.train("algorithm: FED_SGD sgd { momentum: 0.9 }"), InputError);
}

TEST(LocalTrainer, fused_and_separate_steps_agree) {
  Clusters clusters(64);
  Client client(clusters, "mlp {}");

  const auto fused = client.train("local_epochs: 3");
  const auto separate = client.train("local_epochs: 3 clip_norm: 1e9");  // a limit that is never reached

  EXPECT_LT(relative_distance(fused.update, separate.update), 1e-4);
}

TEST(LocalTrainer, a_strong_proximal_term_keeps_the_client_close) {
  Clusters clusters(64);
  Client client(clusters);

  const auto free = client.train("local_epochs: 5 learning_rate: 0.1");
  const auto held = client.train("local_epochs: 5 learning_rate: 0.1 proximal_mu: 5");

  EXPECT_LT(fixtures::norm(held.update), 0.5 * fixtures::norm(free.update));
}

TEST(LocalTrainer, repeats_its_bits_whatever_it_trained_before) {
  for (const char* training : {"local_epochs: 2 batch_size: 7", "adam {} batch_size: 7",
                               "sgd { momentum: 0.9 } batch_size: 7 clip_norm: 0.5 proximal_mu: 0.1"}) {
    Clusters clusters(50, {1, 14, 14}, 4);
    Client client(clusters, "lenet5 {}");
    Trainer trainer(training, client);
    const auto first = client.train(trainer.trainer);
    client.context.agent = AgentId{8};
    const auto other = client.train(trainer.trainer);
    client.context.agent = AgentId{3};

    const auto second = client.train(trainer.trainer);

    EXPECT_EQ(first.update, second.update) << training;
    EXPECT_EQ(first.result.loss, second.result.loss) << training;
    EXPECT_NE(first.update, other.update) << training;  // its own order of samples
  }
}

TEST(LocalTrainer, augmentation_changes_what_the_network_sees) {
  Clusters clusters(12, {1, 14, 14}, 4);
  Client client(clusters, "lenet5 {}");

  const auto plain = client.train("batch_size: 0");
  const auto changed = client.train("batch_size: 0 augmentation { flip: true crop_padding: 2 }");
  const auto again = client.train("batch_size: 0 augmentation { flip: true crop_padding: 2 }");

  EXPECT_NE(plain.update, changed.update);
  EXPECT_EQ(changed.update, again.update);
}

TEST(LocalTrainer, trains_on_the_labels_that_an_edit_leaves) {
  Clusters clusters(40);
  Client client(clusters);
  const BatchEdit all_to_class_0 = [](const EditableBatch& batch) { std::ranges::fill(batch.labels, 0); };

  const auto poisoned = client.train("local_epochs: 20", all_to_class_0);

  auto parameters = client.global;
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += poisoned.update[i];
  const std::vector<double> correct = correct_of_class(client, parameters, clusters);
  EXPECT_THAT(correct, ElementsAre(10, 0, 0, 0));
}

TEST(LocalTrainer, learns_separable_classes) {
  for (const char* network : {"logreg {}", "mlp { hidden: 16 }"}) {
    Clusters clusters(80);
    Client client(clusters, network);

    const auto trained = client.train("local_epochs: 40 batch_size: 8 learning_rate: 0.1");

    auto parameters = client.global;
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += trained.update[i];
    const std::vector<double> correct = correct_of_class(client, parameters, clusters);
    EXPECT_THAT(correct, Each(20.0)) << network;
    EXPECT_LT(trained.result.loss, 0.1) << network;
  }
}

TEST(LocalTrainer, follows_the_schedule_of_rounds) {
  Clusters clusters(4);
  Client third(clusters), first(clusters);
  third.context.round = {3};

  const auto late = third.train("batch_size: 0 learning_rate: 0.4 step_decay { every: 1 factor: 0.5 }");
  const auto early = first.train("batch_size: 0 learning_rate: 0.1");

  EXPECT_LT(relative_distance(late.update, early.update), 1e-5);  // another order of summing up
}

TEST(LocalTrainer, a_client_without_samples_changes_nothing) {
  Clusters clusters(4);
  Client client(clusters);
  Trainer trainer("", client);
  std::vector<float> update(client.global.size(), 5.0F);

  const auto result = trainer.trainer.train(client.global, {}, {}, client.context, update);

  EXPECT_EQ(result.steps, 0U);
  EXPECT_THAT(update, Each(0.0F));
}

}  // namespace
}  // namespace souk::local_trainer_test
