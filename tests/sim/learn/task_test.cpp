// What tasks say about models, against the definitions.
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/scenario.pb.h"
#include "sim/learn/tasks/classification.hpp"
#include "sim/learn/tasks/row_task.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::task_test {
namespace {

using fixtures::parse;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;

const TaskMetric& metric(const Scores& scores, const std::string& name, std::int64_t label = -1) {
  for (const TaskMetric& each : scores.metrics) {
    if (each.name == name && each.label == label) return each;
  }
  throw std::runtime_error("no metric " + name);
}

/// Rows with one feature and a class, or a number.
struct Table {
  explicit Table(std::vector<std::int32_t> of_classes, int classes)
      : features(of_classes.size(), 1.0F), labels(std::move(of_classes)) {
    shape.samples = labels.size();
    shape.class_names.assign(static_cast<std::size_t>(classes), "class");
  }
  explicit Table(std::vector<float> of_numbers) : features(of_numbers.size(), 1.0F), numbers(std::move(of_numbers)) {
    shape.samples = numbers.size();
    shape.numbers = true;
  }
  Dataset data(Scaling scaling = {{0.0F}, {1.0F}}) {
    return {shape, {.u8 = {}, .f32 = features, .labels = labels, .groups = {}, .numbers = numbers}, std::move(scaling)};
  }
  std::vector<SampleIndex> all() const {
    std::vector<SampleIndex> indices(shape.samples);
    std::iota(indices.begin(), indices.end(), SampleIndex{0});
    return indices;
  }
  DatasetShape shape;
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<float> numbers;
};

Scores scores_of(Task& task, std::span<const float> parameters, UnitSet which) {
  std::vector<double> sums(task.tally_size());
  task.tally(parameters, Split::train, which, sums);
  return task.scores(sums);
}

TEST(Classification, of_a_model_without_an_opinion_is_a_guess) {
  Table table({0, 1, 0, 1, 0, 1}, 2);
  const Dataset data = table.data();
  const auto task = make_task(parse<scenario::Task>("model { logreg {} }"), data, data, "cpu");
  const std::vector<float> zero(task->layout().dimension(), 0.0F);

  // All logits are 0: the tie goes to class 0, and the loss is log 2 each.
  const Scores scores = scores_of(*task, zero, table.all());

  EXPECT_NEAR(scores.loss, std::log(2.0), 1e-12);
  EXPECT_EQ(scores.quality, 0.5);
  EXPECT_EQ(scores.skill, 0.0);
  EXPECT_EQ(metric(scores, "class_accuracy", 0).value, 1.0);
  EXPECT_EQ(metric(scores, "class_accuracy", 1).value, 0.0);
  EXPECT_NEAR(scores.loss_of_class[1], std::log(2.0), 1e-12);
}

TEST(Classification, counts_nan_as_wrong) {
  Table table({0, 1, 0, 1, 0, 1}, 2);
  const Dataset data = table.data();
  const auto task = make_task(parse<scenario::Task>("model { logreg {} }"), data, data, "cpu");
  const std::vector<float> broken(task->layout().dimension(), std::numeric_limits<float>::quiet_NaN());

  const Scores scores = scores_of(*task, broken, table.all());

  EXPECT_EQ(scores.quality, 0.0);
  EXPECT_TRUE(std::isnan(scores.loss));
}

TEST(Classification, tallies_of_parts_add_up_to_that_of_the_whole) {
  Table table({0, 1, 2, 1, 0, 1, 2, 2}, 3);
  const Dataset data = table.data();
  const auto task = make_task(parse<scenario::Task>("model { logreg {} }"), data, data, "cpu");
  const std::vector<float> parameters{0.3F, -0.2F, 0.1F, 0.0F, 0.4F, -0.1F};
  const std::vector<SampleIndex> all = table.all();
  std::vector<double> whole(task->tally_size()), first(task->tally_size()), rest(task->tally_size());
  task->tally(parameters, Split::train, all, whole);
  task->tally(parameters, Split::train, std::span(all).first(3), first);
  task->tally(parameters, Split::train, std::span(all).subspan(3), rest);

  for (std::size_t v = 0; v < whole.size(); ++v) EXPECT_NEAR(first[v] + rest[v], whole[v], 1e-12) << v;
}

// Feature 1, weight w and intercept b predict w + b for every row.
TEST(Regression, errors_are_in_the_units_of_the_data_and_r2_compares_with_the_mean) {
  Table table({10.0F, 20.0F, 30.0F, 60.0F});
  // Scaled: (y - 20) / 10 = -1, 0, 1, 4.
  const Dataset data = table.data({{0.0F}, {1.0F}, 20.0F, 0.1F});
  const auto task = make_task(parse<scenario::Task>("model { linear {} }"), data, data, "cpu");

  const Scores scores = scores_of(*task, std::vector<float>{1.0F, 0.5F}, table.all());  // 1.5: 35 in the data's units

  const double squares = 25.0 * 25.0 + 15.0 * 15.0 + 5.0 * 5.0 + 25.0 * 25.0, about_mean = 400.0 + 100.0 + 0.0 + 900.0;
  EXPECT_NEAR(metric(scores, "rmse").value, std::sqrt(squares / 4.0), 1e-5);
  EXPECT_NEAR(metric(scores, "mae").value, (25.0 + 15.0 + 5.0 + 25.0) / 4.0, 1e-5);
  EXPECT_NEAR(scores.quality, 1.0 - squares / about_mean, 1e-6);
  EXPECT_EQ(scores.skill, scores.quality);
  EXPECT_NEAR(scores.loss, squares / 4.0 / 100.0, 1e-6);
  EXPECT_TRUE(scores.loss_of_class.empty());
}

TEST(Regression, r2_of_numbers_that_are_all_equal_is_not_a_number) {
  Table table({3.0F, 3.0F, 3.0F});
  const Dataset data = table.data();
  const auto task = make_task(parse<scenario::Task>("model { linear {} }"), data, data, "cpu");
  EXPECT_TRUE(std::isnan(scores_of(*task, std::vector<float>{0.0F, 1.0F}, table.all()).quality));
}

TEST(Regression, gradient_descent_finds_the_mean_or_the_median_as_the_loss_wants) {
  Table table({0.0F, 0.0F, 1.0F, 9.0F, 0.0F});
  const Dataset data = table.data();
  for (const auto& [loss, expected] : {std::pair("squared_error {}", 2.0), std::pair("absolute_error {}", 0.0)}) {
    const auto task =
        make_task(parse<scenario::Task>(std::string("model { linear {} } training { local_epochs: 4000 batch_size: 0 "
                                                    "learning_rate: 0.01 } objective { ") +
                                        loss + " }"),
                  data, data, "cpu");
    const std::vector<float> start{0.0F, 0.5F};
    std::vector<float> update(2);
    task->train(start, table.all(), {}, {.seed = 1, .agent = {0}, .round = {1}}, update);
    EXPECT_NEAR(start[0] + update[0] + start[1] + update[1], expected, 0.03) << loss;
  }
}

}  // namespace
}  // namespace souk::task_test
