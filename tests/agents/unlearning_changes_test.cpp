// Samples that read otherwise from a round on: exact operators against runs in which they read so from the start,
// influence against dense solutions, and what is undone against what was there.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/data_changes.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_changes_test {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

const std::string learned =
    "rounds: 5 task { data { glyphs { train_samples: 300 test_samples: 60 } } model { mlp { hidden: 8 } } "
    "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 6 everyone: true } ";

std::string at_first(const std::string& change) { return "at_first { " + change + " } "; }

std::string request(const std::string& change, const std::string& how, std::uint32_t round = 4) {
  return "requests { name: \"r" + std::to_string(round) + "\" round: " + std::to_string(round) + " change { " + change +
         " } " + how + " } ";
}

std::string forgetting(const std::string& section, const std::string& more = "") {
  return learned + more + "unlearning { " + section + " } ";
}

const std::vector<std::string> changes{
    "of { of_client: 2 } label { of_class: 3 }", "of { of_class: 1 } another_label {}",
    "of { of_class: 4 } features { first: 10 count: 50 value: 0.5 }", "of { of_client: 1 } weight { weight: 0.25 }"};

TEST(DataChanges, by_exact_operators_leave_no_bit_of_how_samples_read) {
  for (const std::string& change : changes) {
    const Simulated from_the_start = simulate(forgetting(at_first(change)));
    EXPECT_EQ(simulate(forgetting(request(change, "retrain {}"))).hash, from_the_start.hash) << change;
    EXPECT_EQ(simulate(forgetting(request(change, "rollback { every: 1 }"))).hash, from_the_start.hash) << change;
    EXPECT_NE(simulate(forgetting(request(change, "no_update {}"))).hash, from_the_start.hash) << change;
  }
}

/// Late labels, late samples, and whatever else is put right.
TEST(DataChanges, that_are_undone_by_exact_operators_leave_no_bit) {
  const Simulated plain = simulate(learned);
  std::vector<std::string> all = changes;
  all.push_back("of { of_class: 2 share: 0.5 } held_back {}");
  all.push_back("of { of_client: 3 } held_back {}");
  for (const std::string& change : all) {
    const std::string put_right = at_first(change) + request("as_stored {}", "retrain {}");
    EXPECT_EQ(simulate(forgetting(put_right)).hash, plain.hash) << change;
    const std::string back = at_first(change) + request("as_stored {}", "rollback { every: 1 }");
    EXPECT_EQ(simulate(forgetting(back)).hash, plain.hash) << change;
    EXPECT_NE(simulate(forgetting(at_first(change))).hash, plain.hash) << change;
  }
}

TEST(DataChanges, give_the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  const std::string late = at_first("of { of_class: 1 share: 0.6 } label { of_class: 0 }") +
                           at_first("of { of_client: 4 share: 0.5 } held_back {}") +
                           at_first("of { of_client: 5 } features { value: 1 }") +
                           "requests { name: \"come\" round: 2 every: 1 change { of { share: 0.5 } as_stored {} } "
                           "influence_step { damping: 0.1 longest: 1 } reference {} } ";
  const Simulated one = simulate(forgetting(late)), three = simulate(forgetting(late), 3);
  EXPECT_EQ(one.hash, three.hash);
  EXPECT_EQ(one.state, three.state);
  for (const std::uint32_t round : {1U, 3U}) EXPECT_EQ(one.state, simulate(forgetting(late), 2, round).state) << round;
}

TEST(DataChanges, come_in_waves_until_nothing_is_left_to_put_right) {
  const std::string late = at_first("of { of_class: 1 } label { of_class: 0 }") +
                           "requests { name: \"come\" round: 2 every: 1 change { of { share: 0.5 } as_stored {} } "
                           "no_update {} } ";
  const Simulated run = simulate(forgetting(late));
  std::vector<double> units;
  for (std::size_t r = 1; r < 5; ++r) units.push_back(run.records[r].metric("unlearning.come.units").value_or(0.0));
  for (std::size_t i = 1; i < units.size(); ++i) EXPECT_NEAR(units[i], units[i - 1] / 2.0, 1.0);
}

/// A convex run, in whose last rounds nothing is learned.
std::string convex(const std::string& section, std::uint32_t more_rounds = 1) {
  const std::string model = "logreg {}", training = "learning_rate: 0.2 batch_size: 0 sgd { weight_decay: 0.01 }";
  std::string text = run_of(20, model, training, "");
  const std::string rounds = "rounds: 21 ";
  text.replace(0, rounds.size(), "rounds: " + std::to_string(20 + more_rounds) + " ");
  return text + " unlearning { " + section + " }";
}

const std::string influence = "influence_step { form: INFLUENCE damping: 0.05 cholesky {} halvings: 0 } ";

std::vector<double> sum_of_gradients(Task& task, const std::vector<float>& model,
                                     const std::vector<SampleIndex>& units) {
  std::vector<float> work = model, gradient(model.size());
  task.gradient(work, units, gradient);
  std::vector<double> sum;
  for (const float g : gradient) sum.push_back(static_cast<double>(g) * static_cast<double>(units.size()));
  return sum;
}

/// x of (H + (0.01 + 0.05) I) x = b over `all` at `model`, divided by their number: by columns and elimination.
std::vector<double> dense_step(Task& task, const std::vector<float>& model, const std::vector<SampleIndex>& all,
                               const std::vector<double>& b) {
  const std::size_t n = model.size();
  std::vector<std::vector<double>> matrix(n, std::vector<double>(n));
  std::vector<float> unit(n, 0.0F), column(n);
  for (std::size_t c = 0; c < n; ++c) {
    unit[c] = 1.0F;
    task.hessian_vector(model, all, unit, column);
    unit[c] = 0.0F;
    for (std::size_t r = 0; r < n; ++r) matrix[r][c] = static_cast<double>(column[r]) + (r == c ? 0.06 : 0.0);
  }
  std::vector<double> x = solved(std::move(matrix), b);
  for (double& value : x) value /= static_cast<double>(all.size());
  return x;
}

std::vector<SampleIndex> everyone(const Finished& run) { return units_of(run.holders({0, 1, 2, 3})); }

/// Corrected labels, changed features, withdrawn parts: b is the sum of gradients before minus after.
TEST(Influence, of_changes_is_the_dense_solution) {
  for (const std::string change : {"of { of_client: 2 } another_label {}", "of { of_client: 2 } weight { weight: 0.3 }",
                                   "of { of_client: 2 } features { first: 3 count: 5 }"}) {
    const Finished before(convex(""));
    const Finished after(convex(request(change, influence, 21)));
    const std::vector<SampleIndex> mine = before.units_of(2), all = everyone(before);
    std::vector<double> b = sum_of_gradients(before.task(), before.model(), mine);
    const std::vector<double> now = sum_of_gradients(after.task(), before.model(), mine);
    for (std::size_t v = 0; v < b.size(); ++v) b[v] -= now[v];
    EXPECT_GT(length(b), 1e-3) << change;
    const std::vector<double> step = dense_step(before.task(), before.model(), all, b);
    EXPECT_THAT(difference(after.model(), before.model()), Pointwise(DoubleNear(1e-4 * length(step) + 1e-6), step))
        << change;
  }
}

/// Samples that come: minus their gradients, and the weight decay of their number.
TEST(Influence, of_samples_that_come_is_the_dense_solution) {
  const std::string held_back = at_first("of { of_client: 2 of_class: 1 } held_back {}");
  const Finished before(convex(held_back));
  const Finished after(convex(held_back + request("as_stored {}", influence, 21)));
  const std::vector<SampleIndex> old = everyone(before), all = everyone(after);
  std::vector<SampleIndex> come;
  std::ranges::set_difference(all, old, std::back_inserter(come));
  ASSERT_FALSE(come.empty());
  std::vector<double> b = sum_of_gradients(after.task(), before.model(), come);
  for (std::size_t v = 0; v < b.size(); ++v) {
    b[v] = -b[v] - 0.01 * static_cast<double>(come.size()) * static_cast<double>(before.model()[v]);
  }
  const std::vector<double> step = dense_step(before.task(), before.model(), old, b);
  EXPECT_THAT(difference(after.model(), before.model()), Pointwise(DoubleNear(1e-4 * length(step) + 1e-6), step));
}

/// Short steps, for what is of second order to be small.
const std::string damped = "influence_step { form: INFLUENCE damping: 3 cholesky {} halvings: 0 } ";

/// How far a request and the one that undoes it leave the model from where it was, in squares of the first's step.
struct ThereAndBack {
  double step = 0.0, left = 0.0;
};

ThereAndBack there_and_back(const std::string& first, const std::string& there, const std::string& back) {
  const Finished before(convex(first)), once(convex(first + there)), twice(convex(first + there + back, 2));
  return {length(difference(once.model(), before.model())), length(difference(twice.model(), before.model()))};
}

/// What is left of fewer samples is the same share of the squared step: it is of second order.
void expect_second_order(const ThereAndBack& many, const ThereAndBack& few) {
  EXPECT_GT(many.step, 1e-2);
  EXPECT_LT(many.left, 0.5 * many.step);
  EXPECT_LT(few.left / (few.step * few.step), 2.0 * many.left / (many.step * many.step));
  EXPECT_LT(few.left / few.step, many.left / many.step);
}

TEST(Influence, of_a_corrected_label_and_its_inverse_is_the_identity_to_second_order) {
  const auto run = [](const std::string& share) {
    return there_and_back("", request("of { of_client: 2 share: " + share + " } another_label {}", damped, 21),
                          request("as_stored {}", damped, 22));
  };
  expect_second_order(run("0.8"), run("0.1"));
}

TEST(Influence, of_samples_added_and_removed_is_the_identity_to_second_order) {
  const auto run = [](const std::string& of) {
    return there_and_back(at_first("of { " + of + " } held_back {}"), request("as_stored {}", damped, 21),
                          "requests { name: \"gone\" round: 22 samples { " + of + " } " + damped + " } ");
  };
  expect_second_order(run("of_client: 2"), run("of_client: 2 of_class: 1"));
}

/// The correction of late labels is nearer to the model that had them from the start than what went on without.
TEST(Influence, of_late_labels_comes_near_to_training_with_them) {
  const auto trained = [](const std::string& section) {
    std::string text = convex(section);
    const std::string one = "learning_rate: 0.2 ";
    return Finished(text.replace(text.find(one), one.size(), "learning_rate: 0.5 local_epochs: 40 "));
  };
  const std::string late = at_first("of { of_class: 1 share: 0.2 } label { of_class: 0 }");
  const Finished plain(trained("")), fake(trained(late));
  const Finished corrected(
      trained(late + request("as_stored {}", "influence_step { damping: 0 form: INFLUENCE halvings: 0 } ", 21)));
  EXPECT_LT(length(difference(corrected.model(), plain.model())),
            0.6 * length(difference(fake.model(), plain.model())));
}

TEST(DataChanges, are_refused_where_they_mean_nothing) {
  const auto refused = [](const std::string& section, const std::string& more = "") {
    return refusal_of(forgetting(section, more));
  };
  EXPECT_THAT(refused(request("held_back {}", "retrain {}")), HasSubstr("a request to forget samples is `samples`"));
  EXPECT_THAT(refused(at_first("as_stored {}")), HasSubstr("is how samples read at first"));
  EXPECT_THAT(refused(request("of {}", "retrain {}")), HasSubstr("does not say how the samples read"));
  EXPECT_THAT(refused(at_first("label { of_class: 10 }")), HasSubstr("label.of_class = 10: there are 10 classes"));
  EXPECT_THAT(refused(at_first("of { of_client: 6 } another_label {}")),
              HasSubstr("unlearning.at_first[0].of.of_client = 6: there are 6 clients"));
  EXPECT_THAT(refused(at_first("features { first: 784 }")), HasSubstr("features.first = 784"));
  EXPECT_THAT(refused(at_first("features { first: 780 count: 9 }")), HasSubstr("features.count = 9"));
  EXPECT_THAT(refused(request("another_label {}", "fed_eraser {}")), HasSubstr("cannot forget how samples read"));
  EXPECT_THAT(refused(at_first("another_label {}"), "market { unit_price {} } "), HasSubstr("leave out the market"));
}

}  // namespace
}  // namespace souk::unlearning_changes_test
