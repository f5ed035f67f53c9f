// The root data's sizes and biases, and the deal that follows them.
#include "agents/cast/root_data.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk::root_data_test {
namespace {

using testing::ElementsAre;

/// Labels 0, 0, …, 1, 1, …: this many of every class.
std::vector<std::int32_t> labels_of(const std::vector<std::size_t>& counts) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < counts.size(); ++c) labels.insert(labels.end(), counts[c], static_cast<std::int32_t>(c));
  return labels;
}

std::vector<SampleIndex> draw(const std::string& root, const std::vector<std::int32_t>& labels,
                              std::uint64_t seed = 1) {
  const ResolvedScenario resolved =
      resolve_scenario({.file_name = "test", .text = "root { " + root + " }", .overrides = {}});
  const RootSamples found = draw_root_data(resolved.scenario->root(), labels, labels.back() + 1, seed);
  const std::vector<SampleIndex> drawn(found.samples().begin(), found.samples().end());
  EXPECT_TRUE(std::ranges::is_sorted(drawn));
  EXPECT_EQ(std::set<SampleIndex>(drawn.begin(), drawn.end()).size(), drawn.size());
  return drawn;
}

std::vector<int> counts_of(const std::vector<SampleIndex>& drawn, const std::vector<std::int32_t>& labels) {
  std::vector<int> counts(static_cast<std::size_t>(labels.back()) + 1);
  for (const SampleIndex sample : drawn) ++counts[static_cast<std::size_t>(labels.at(sample))];
  return counts;
}

std::string refusal(const std::string& root, const std::vector<std::int32_t>& labels) {
  try {
    draw(root, labels);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

TEST(RootDraw, without_bias_is_the_head_of_a_shuffled_training_set) {
  const auto labels = labels_of({100, 100, 100});
  std::vector<std::uint32_t> order(300);
  std::iota(order.begin(), order.end(), 0U);
  Stream(7, StreamKey{Purpose::root_data, nobody, {}}).shuffle(order);
  std::vector<SampleIndex> head(order.begin(), order.begin() + 42);
  std::ranges::sort(head);
  EXPECT_EQ(draw("samples: 42", labels, 7), head);
}

TEST(RootDraw, takes_a_fraction_instead_of_a_number) {
  const auto labels = labels_of({100, 100, 125});
  EXPECT_EQ(draw("fraction: 0.02", labels), draw("samples: 7", labels));  // 6.5 of 325
  EXPECT_EQ(draw("fraction: 0.02 samples: 1000", labels).size(), 7U);
  EXPECT_THAT(counts_of(draw("fraction: 0.2 bias: 0.5 bias_class: 2", labels), labels), ElementsAre(16, 16, 33));
}

TEST(RootDraw, draws_class_proportions_from_a_dirichlet_distribution) {
  // Of K = 5 classes: mean 1/5, variance 1/5 4/5 / (5 alpha + 1) = 0.064 at alpha = 0.3.
  const auto labels = labels_of({2000, 2000, 2000, 2000, 2000});
  double sum = 0.0, squares = 0.0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const auto counts = counts_of(draw("samples: 1000 dirichlet_alpha: 0.3", labels, seed), labels);
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0), 1000);
    sum += counts[0] / 1000.0;
    for (const int count : counts) squares += (count / 1000.0 - 0.2) * (count / 1000.0 - 0.2);
  }
  EXPECT_NEAR(sum / 400, 0.2, 4 * std::sqrt(0.064 / 400));
  EXPECT_NEAR(squares / 2000, 0.064, 0.009);
}

TEST(RootDraw, with_an_extreme_concentration_takes_all_classes_alike_or_one) {
  const auto labels = labels_of({800, 150, 50});  // alike, whatever the training set holds of each
  EXPECT_THAT(counts_of(draw("samples: 30 dirichlet_alpha: 1000000", labels), labels), ElementsAre(10, 10, 10));
  const auto even = labels_of({100, 100, 100});
  std::set<std::size_t> chosen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto counts = counts_of(draw("samples: 30 dirichlet_alpha: 0.000001", even, seed), even);
    EXPECT_EQ(*std::ranges::max_element(counts), 30) << seed;
    chosen.insert(static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin()));
  }
  EXPECT_EQ(chosen.size(), 3U);
}

TEST(RootDraw, takes_from_other_classes_what_one_has_too_few_of) {
  const auto labels =
      labels_of({4, 100, 100});  // 20 wanted of each: 4, and half of the missing 16 from either other one
  EXPECT_THAT(counts_of(draw("samples: 60 dirichlet_alpha: 1000000", labels), labels), ElementsAre(4, 28, 28));
}

TEST(RootDraw, takes_the_first_half_of_the_classes_alone) {
  const auto even = labels_of({50, 50, 50, 50}), odd = labels_of({50, 50, 50});
  const auto of_even = counts_of(draw("samples: 60 half_classes: true", even), even);
  EXPECT_EQ(of_even[0] + of_even[1], 60);
  EXPECT_NEAR(of_even[0], 30, 13);  // hypergeometric: a standard deviation of 2.5
  const auto of_odd = counts_of(draw("samples: 60 half_classes: true", odd), odd);
  EXPECT_EQ(of_odd[0] + of_odd[1], 60);
  EXPECT_THAT(counts_of(draw("samples: 100 half_classes: true", even), even), ElementsAre(50, 50, 0, 0));
  EXPECT_EQ(refusal("samples: 101 half_classes: true", even),
            "root.samples = 101: with root.half_classes a class has too few samples");
}

TEST(RootDraw, refuses_two_biases_and_sizes_that_cannot_be) {
  const auto labels = labels_of({50, 50});
  const std::string one = "root: of bias, dirichlet_alpha and half_classes only one can be set";
  EXPECT_EQ(refusal("samples: 5 bias: 0.5 half_classes: true", labels), one);
  EXPECT_EQ(refusal("samples: 5 bias: 0.5 dirichlet_alpha: 1", labels), one);
  EXPECT_EQ(refusal("samples: 5 dirichlet_alpha: 1 half_classes: true", labels), one);
  EXPECT_EQ(refusal("fraction: 0.001", labels), "root.fraction = 0.001: takes 0 of the training set's 100 samples");
  EXPECT_EQ(refusal("fraction: 0.999", labels), "root.fraction = 0.999: takes 100 of the training set's 100 samples");
  EXPECT_EQ(refusal("fraction: 0.9 bias: 1", labels),
            "root.fraction = 0.9: with root.bias = 1 a class has too few samples");
}

TEST(ClassShares, are_those_of_the_samples_given) {
  const auto labels = labels_of({4, 4, 4});
  EXPECT_THAT(class_shares(std::vector<SampleIndex>{0, 1, 4, 5}, labels, 3), ElementsAre(0.5, 0.5, 0.0));
  EXPECT_TRUE(class_shares({}, labels, 3).empty());
}

/// Clients that hold only classes below 5, in a federation on ten classes.
int clients_of_the_first_half(const std::string& root) {
  const std::string text =
      "rounds: 1 task { data { glyphs { train_samples: 1100 test_samples: 20 } } model { mlp { hidden: [4] } } } "
      "participants { clients: 10 everyone: true } partition { discovery { noise: 0.3 } } root { samples: 100 "
      "half_classes: true " +
      root + " }";
  const ResolvedScenario resolved = resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
  const SetUpRecord record = make_simulation(Comm::self(), *resolved.scenario, "cpu")->set_up_record();
  std::set<std::uint32_t> others;
  for (const auto& row : record.partition) {
    if (row.label >= 5) others.insert(row.agent.value);
  }
  return 10 - static_cast<int>(others.size());
}

TEST(Discovery, follows_the_root_data_where_the_server_has_them) {
  // 450 samples of the first five classes are left for clients of 100: the first four get nothing else.
  EXPECT_EQ(clients_of_the_first_half("always: true"), 4);
  EXPECT_EQ(clients_of_the_first_half(""), 0);
}

}  // namespace
}  // namespace souk::root_data_test
