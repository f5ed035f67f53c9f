// The deals of gradient markets: sellers whose data resemble the buyer's, and sellers with half of the classes.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>

#include "scenarios/partition.pb.h"
#include "sim/data/deal_tools.hpp"
#include "sim/data/partitioner.hpp"

namespace souk::partition_market_test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::UnorderedElementsAre;

/// Labels 0, 0, …, 1, 1, …: this many of every class.
std::vector<std::int32_t> labels_of(const std::vector<std::size_t>& counts) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < counts.size(); ++c) labels.insert(labels.end(), counts[c], static_cast<std::int32_t>(c));
  return labels;
}

scenario::Partition discovery(double noise) {
  scenario::Partition partition;
  partition.mutable_discovery()->set_noise(noise);
  return partition;
}

scenario::Partition half_classes(double biased, double dominance, double size_exponent = 0.0) {
  scenario::Partition partition;
  partition.set_min_samples(0);
  partition.mutable_half_classes()->set_biased(biased);
  partition.mutable_half_classes()->set_dominance(dominance);
  partition.mutable_half_classes()->set_size_exponent(size_exponent);
  return partition;
}

using ClassCounts = std::vector<std::uint32_t>;

/// Samples of every class that each agent holds; fails unless every sample is dealt once.
std::vector<ClassCounts> dealt(const scenario::Partition& partition, const std::vector<std::size_t>& counts,
                               std::size_t agents, const std::vector<double>& reference = {}, std::uint64_t seed = 1) {
  const std::vector<std::int32_t> labels = labels_of(counts);
  const auto classes = static_cast<int>(counts.size());
  const RepairedDeal repaired = deal_samples(
      partition, {.labels = labels, .groups = {}, .classes = classes, .agents = agents, .reference = reference}, seed);
  EXPECT_EQ(repaired.moved, 0U);
  std::vector<int> holders(labels.size());
  for (const SampleIndex sample : repaired.deal.samples) ++holders[sample];
  EXPECT_THAT(holders, Each(1));
  std::vector<ClassCounts> rows(agents, ClassCounts(counts.size()));
  for (std::size_t agent = 0; agent < agents; ++agent) {
    for (const SampleIndex sample : repaired.deal.of(agent)) ++rows[agent][static_cast<std::size_t>(labels[sample])];
  }
  return rows;
}

std::size_t total(const ClassCounts& row) { return std::accumulate(row.begin(), row.end(), std::size_t{0}); }

TEST(ApportionWithin, rounds_by_largest_remainder_and_moves_what_finds_no_room) {
  const auto parts = [](std::size_t sum, std::vector<double> shares, std::vector<std::size_t> room) {
    return apportion_within(sum, shares, room);
  };
  EXPECT_THAT(parts(10, {1, 1, 2}, {10, 10, 10}), ElementsAre(3, 2, 5));  // 2.5, 2.5, 5
  EXPECT_THAT(parts(10, {1, 1, 2}, {10, 10, 2}), ElementsAre(5, 3, 2));   // 3 too many: 1.5 and 1.5 more
  EXPECT_THAT(parts(5, {0, 0, 1}, {3, 1, 2}), ElementsAre(2, 1, 2));      // 3 too many for rooms of 3 and 1: 2.25, 0.75
  EXPECT_THAT(parts(2, {0, 0}, {1, 3}), ElementsAre(1, 1));               // 0.5, 1.5: the tie goes to the first
  EXPECT_THAT(parts(6, {5, 1, 1}, {3, 1, 2}), ElementsAre(3, 1, 2));
  EXPECT_THAT(parts(0, {0, 0}, {0, 0}), ElementsAre(0, 0));
}

TEST(Discovery, without_noise_gives_everybody_the_buyers_proportions_as_long_as_they_last) {
  // Of six each: 3, 2, 1; 3, 2, 1; then nothing is left of class 0, and class 2 stands in.
  EXPECT_THAT(dealt(discovery(0), {6, 6, 6}, 3, {0.5, 1.0 / 3, 1.0 / 6}),
              UnorderedElementsAre(ElementsAre(3, 2, 1), ElementsAre(3, 2, 1), ElementsAre(0, 2, 4)));
  EXPECT_THAT(dealt(discovery(0), {500, 300, 200}, 10, {0.5, 0.3, 0.2}), Each(ElementsAre(50, 30, 20)));
}

TEST(Discovery, without_root_data_takes_the_proportions_of_what_is_dealt) {
  EXPECT_THAT(dealt(discovery(0), {800, 200}, 10), Each(ElementsAre(80, 20)));
}

TEST(Discovery, never_deals_a_class_the_buyer_lacks_while_others_last) {
  // The buyer has class 0 alone: four clients of ten get it, the others all that is left.
  const std::vector<ClassCounts> rows = dealt(discovery(0.5), {40, 60}, 10, {1.0, 0.0});
  EXPECT_EQ(std::ranges::count(rows, ClassCounts{10, 0}), 4);
  EXPECT_EQ(std::ranges::count(rows, ClassCounts{0, 10}), 6);
}

TEST(Discovery, serves_clients_in_another_order_for_another_seed) {
  const auto late = [](std::uint64_t seed) {
    const auto rows = dealt(discovery(0), {6, 6, 6}, 3, {0.5, 1.0 / 3, 1.0 / 6}, seed);
    return std::ranges::find(rows, ClassCounts{0, 2, 4}) - rows.begin();
  };
  std::vector<int> times(3);
  for (std::uint64_t seed = 1; seed <= 300; ++seed) ++times[static_cast<std::size_t>(late(seed))];
  for (const int count : times) EXPECT_NEAR(count, 100, 33);  // four standard deviations
}

TEST(Discovery, multiplies_proportions_by_uniform_noise) {
  // Two classes of a client are as U to V, both uniform on [0.7, 1.3]:
  // P(U > 1.2 V) = integral of (1.3 - 1.2 v) dv / 0.36 over [0.7, 1.3 / 1.2] = 0.0882 / 0.36 = 0.245.
  const std::vector<ClassCounts> rows =
      dealt(discovery(0.3), std::vector<std::size_t>(10, 100'000), 1000, std::vector<double>(10, 0.1));
  int above = 0, beyond = 0;
  for (const ClassCounts& row : rows) {
    EXPECT_EQ(total(row), 1000U);
    for (std::size_t c = 0; c < 10; c += 2) {
      const double ratio = row[c] / std::max(1.0, static_cast<double>(row[c + 1]));
      above += ratio > 1.2 ? 1 : 0;
      beyond += ratio > 1.3 / 0.7 + 0.05 || ratio < 0.7 / 1.3 - 0.05 ? 1 : 0;
    }
  }
  EXPECT_NEAR(above / 5000.0, 0.245, 0.025);  // its standard error is 0.006
  EXPECT_LE(beyond, 100);                     // only the last clients, for whom classes have run out
}

TEST(Discovery, with_large_noise_takes_away_nearly_half_of_the_classes) {
  // U(-9, 11) is negative with probability 0.45.
  const std::vector<ClassCounts> rows =
      dealt(discovery(10), std::vector<std::size_t>(10, 100'000), 1000, std::vector<double>(10, 0.1));
  int absent = 0;
  for (const ClassCounts& row : rows) absent += static_cast<int>(std::ranges::count(row, 0U));
  EXPECT_NEAR(absent / 10'000.0, 0.45, 0.04);  // the last clients take what is left
}

TEST(HalfClasses, gives_biased_clients_their_share_of_either_half_in_turn) {
  const std::vector<ClassCounts> rows = dealt(half_classes(0.4, 0.9), std::vector<std::size_t>(10, 100), 10);
  for (std::size_t agent = 0; agent < 10; ++agent) {
    EXPECT_EQ(total(rows[agent]), 100U);
    const auto first = std::accumulate(rows[agent].begin(), rows[agent].begin() + 5, 0U);
    if (agent < 4) {
      EXPECT_EQ(first, agent % 2 == 0 ? 90U : 10U) << agent;
    } else {
      EXPECT_NEAR(first, 50, 20) << agent;  // 100 of 600, half of them: a standard deviation of 4.6
    }
  }
}

TEST(HalfClasses, counts_the_middle_class_to_the_first_half) {
  EXPECT_THAT(dealt(half_classes(1, 1), {30, 30, 60}, 2), ElementsAre(ElementsAre(30, 30, 0), ElementsAre(0, 0, 60)));
}

TEST(HalfClasses, lets_the_other_half_stand_in_for_one_that_has_run_out) {
  EXPECT_THAT(dealt(half_classes(1, 1), {10, 90}, 2), ElementsAre(ElementsAre(10, 40), ElementsAre(0, 50)));
  // Rounded: 0.25 of 8 is 2, and the other half has too few for the rest.
  EXPECT_THAT(dealt(half_classes(1, 0.25), {15, 1}, 2), ElementsAre(ElementsAre(7, 1), ElementsAre(8, 0)));
}

TEST(HalfClasses, deals_no_bias_where_none_is_asked_for) {
  const std::vector<ClassCounts> rows = dealt(half_classes(0, 1), {500, 500}, 10);
  for (const ClassCounts& row : rows) EXPECT_NEAR(row[0], 50, 20);
}

TEST(HalfClasses, draws_sizes_of_a_pareto_tail) {
  // Hill's estimate from the k largest: its standard error is exponent / sqrt(k).
  const std::vector<ClassCounts> rows = dealt(half_classes(0.3, 0.9, 1.66), {1'000'000, 1'000'000}, 10'000);
  std::vector<double> sizes;
  for (const ClassCounts& row : rows) sizes.push_back(static_cast<double>(total(row)));
  std::ranges::sort(sizes, std::greater<>());
  constexpr std::size_t k = 1000;
  double logs = 0.0;
  for (std::size_t i = 0; i < k; ++i) logs += std::log(sizes[i] / sizes[k]);
  EXPECT_NEAR(k / logs, 1.66, 4 * 1.66 / std::sqrt(1000.0));
  // The smallest is 1 / mean of the distribution's mean exponent / (exponent - 1), which few giants make uncertain.
  EXPECT_NEAR(sizes.back(), 200 * 0.66 / 1.66, 15);
}

TEST(HalfClasses, leaves_nobody_without_a_sample_however_heavy_the_tail) {
  for (const double exponent : {0.001, 0.3, 1.0, 100.0}) {
    std::vector<std::size_t> sizes;
    for (const ClassCounts& row : dealt(half_classes(0.5, 0.9, exponent), {2500, 2500}, 1000)) {
      sizes.push_back(total(row));
    }
    EXPECT_THAT(sizes, Each(Ge(1U)));
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 5000U);
  }
  EXPECT_THAT(dealt(half_classes(0, 0, 0.1), {2, 2}, 4),
              Each(testing::Truly([](const auto& r) { return total(r) == 1; })));
}

TEST(HalfClasses, with_fewer_samples_than_clients_still_deals_each_once) {
  EXPECT_EQ(dealt(half_classes(0.5, 0.9, 1.66), {2, 1}, 5).size(), 5U);
}

}  // namespace
}  // namespace souk::partition_market_test
