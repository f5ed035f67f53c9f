// Private steps: how often samples are drawn, how much noise there is, and that nothing else of local training changes.
#include "sim/learn/private_steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "scenarios/learning.pb.h"
#include "sim/base/error.hpp"
#include "sim/learn/local_trainer.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::private_steps_test {
namespace {

using fixtures::parse;

/// Writes down what is drawn; no sample has a gradient.
class CountingLearner final : public Learner {
 public:
  explicit CountingLearner(std::size_t size) : layout_({{.name = "w", .shape = {static_cast<std::int64_t>(size)}}}) {}
  const ParameterLayout& layout() const override { return layout_; }
  double gradient(std::span<float>, const MiniBatch&, std::span<float> gradient) override {
    std::ranges::fill(gradient, 0.0F);
    ++plain;
    return 1.0;
  }
  double clipped_gradients(std::span<float>, const MiniBatch& batch, double, std::span<float> sum) override {
    std::ranges::fill(sum, 0.0F);
    drawn.emplace_back(batch.which.begin(), batch.which.end());
    begins.push_back(batch.begins_pass);
    return 2.0 * static_cast<double>(batch.which.size());
  }
  std::vector<std::vector<SampleIndex>> drawn;
  std::vector<bool> begins;
  std::size_t plain = 0;

 private:
  ParameterLayout layout_;
};

std::vector<SampleIndex> first_samples(std::size_t count) {
  std::vector<SampleIndex> all(count);
  std::iota(all.begin(), all.end(), SampleIndex{0});
  return all;
}

struct Trained {
  LocalResult result;
  std::vector<float> update;
};

Trained train(CountingLearner& learner, const std::string& training, std::size_t samples, LocalContext context = {}) {
  context.agent = {3};
  context.round = {2};
  LocalTrainer trainer(parse<scenario::Training>(training), learner);
  const std::size_t size = learner.layout().dimension();
  Trained trained{{}, std::vector<float>(size)};
  trained.result = trainer.train(std::vector<float>(size, 0.0F), first_samples(samples), {}, context, trained.update);
  return trained;
}

TEST(PrivateSteps, are_as_many_as_mini_batches_of_a_pass) {
  const auto plan = [](const std::string& training, std::size_t samples) {
    return private_training(parse<scenario::Training>(training), samples);
  };
  EXPECT_EQ(plan("batch_size: 16 local_epochs: 3", 40).steps, 9U);
  EXPECT_DOUBLE_EQ(plan("batch_size: 16", 40).sampling, 0.4);
  EXPECT_EQ(plan("batch_size: 16 local_steps: 7", 40).steps, 7U);
  EXPECT_EQ(plan("batch_size: 0 local_epochs: 2", 40).steps, 2U);
  EXPECT_DOUBLE_EQ(plan("batch_size: 64", 40).sampling, 1.0);
  EXPECT_EQ(plan("batch_size: 64", 40).batch, 40U);
}

TEST(PrivateSteps, draw_every_sample_by_itself) {
  CountingLearner learner(4);
  const Trained trained = train(learner, "batch_size: 10 local_steps: 2000 sample_privacy { noise_multiplier: 1 }", 50);
  EXPECT_EQ(trained.result.steps, 2000U);
  EXPECT_EQ(trained.result.samples, 50U);
  EXPECT_EQ(learner.plain, 0U);
  std::vector<double> times(50, 0.0);
  double sum = 0.0, squares = 0.0;
  for (const auto& batch : learner.drawn) {
    for (const SampleIndex sample : batch) times[sample] += 1.0;
    sum += static_cast<double>(batch.size());
    squares += static_cast<double>(batch.size() * batch.size());
  }
  const double deviation = std::sqrt(2000 * 0.2 * 0.8);
  for (const double count : times) EXPECT_NEAR(count, 400.0, 4.5 * deviation);
  const double mean = sum / 2000, variance = squares / 2000 - mean * mean;
  EXPECT_NEAR(mean, 10.0, 4.0 * std::sqrt(8.0 / 2000));
  EXPECT_NEAR(variance, 8.0, 1.1) << "sizes are binomial";
  EXPECT_TRUE(std::ranges::all_of(learner.drawn, [](const auto& batch) { return std::ranges::is_sorted(batch); }));
}

TEST(PrivateSteps, of_an_empty_mini_batch_are_noise_alone) {
  CountingLearner learner(4000);
  const Trained trained = train(
      learner, "learning_rate: 0.5 batch_size: 1 local_steps: 6 sample_privacy { clip: 2 noise_multiplier: 3 }", 4000);
  EXPECT_LT(learner.drawn.size(), 6U) << "some were empty";
  ASSERT_FALSE(learner.begins.empty());
  EXPECT_TRUE(learner.begins.front());
  EXPECT_EQ(std::ranges::count(learner.begins, true), 1);
  // The sum of 6 steps of deviation .5 * 3 * 2 / 1 each.
  const double square = std::pow(fixtures::norm(trained.update), 2), expected = 4000 * 6 * 9.0;
  EXPECT_NEAR(square, expected, 4.0 * expected * std::sqrt(2.0 / 4000));
}

TEST(PrivateSteps, have_fresh_noise_over_the_expected_size) {
  CountingLearner learner(3001);
  const auto update = [&](int steps) {
    return train(learner,
                 "learning_rate: 1 batch_size: 20 local_steps: " + std::to_string(steps) +
                     " sample_privacy { clip: 0.5 noise_multiplier: 4 }",
                 100)
        .update;
  };
  const std::vector<float> one = update(1), two = update(2);
  std::vector<float> second(one.size());
  for (std::size_t v = 0; v < one.size(); ++v) second[v] = two[v] - one[v];
  const double deviation = 4 * 0.5 / 20, d = 3001;
  for (const auto& step : {one, second}) {
    EXPECT_NEAR(std::pow(fixtures::norm(step), 2), d * deviation * deviation,
                4.0 * d * deviation * deviation * std::sqrt(2.0 / d));
  }
  EXPECT_NEAR(fixtures::dot(one, second) / d, 0.0, 4.0 * deviation * deviation / std::sqrt(d));
  EXPECT_EQ(update(2), two);
}

TEST(PrivateSteps, are_not_taken_where_nobody_is_protected) {
  CountingLearner learner(4);
  LocalContext context;
  context.unprotected = true;
  const Trained trained = train(learner, "batch_size: 10 sample_privacy {}", 50, context);
  EXPECT_EQ(learner.plain, 5U);
  EXPECT_THAT(trained.update, testing::Each(0.0F));
}

TEST(PrivateSteps, report_the_mean_loss_of_the_samples_drawn) {
  CountingLearner learner(4);
  EXPECT_DOUBLE_EQ(train(learner, "batch_size: 10 sample_privacy {}", 50).result.loss, 2.0);
}

TEST(PrivateSteps, refuse_what_they_cannot_be_with) {
  CountingLearner learner(4);
  EXPECT_THROW(train(learner, "algorithm: FED_SGD sample_privacy {}", 5), InputError);
  EXPECT_THROW(train(learner, "clip_norm: 1 sample_privacy {}", 5), InputError);
}

}  // namespace
}  // namespace souk::private_steps_test
