#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "scenarios/partition.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"
#include "sim/data/partitioner.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::partition_test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using namespace test;

// Labels 0, 1, …, classes - 1, 0, 1, … and groups of ten samples each, which are the paths of a graph.
struct Samples {
  Samples(std::size_t n, int classes) : labels(n), groups(n), class_count(classes) {
    for (std::size_t i = 0; i < n; ++i) {
      labels[i] = static_cast<std::int32_t>(i % static_cast<std::size_t>(classes));
      groups[i] = static_cast<std::uint32_t>(i / 10);
      nodes.push_back(static_cast<NodeIndex>(i));
      if (i % 10 > 0) neighbours.push_back(nodes.back() - 1);
      if (i % 10 < 9 && i + 1 < n) neighbours.push_back(nodes.back() + 1);
      offsets.push_back(neighbours.size());
      values.insert(values.end(), {1.0F, static_cast<float>(i * 37 % 101) / 10.0F});
      columns.insert(columns.end(), {0, 1});
      feature_offsets.push_back(columns.size());
    }
    features = {.offsets = feature_offsets, .columns = columns, .values = values, .width = 2};
    edges = {.offsets = offsets, .columns = neighbours, .values = {}, .width = n};
  }
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;
  DealInput input(std::size_t agents) const {
    return {.labels = labels,
            .groups = groups,
            .classes = class_count,
            .agents = agents,
            .edges = &edges,
            .features = &features,
            .nodes = nodes};
  }

  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> groups;
  int class_count;
  std::vector<std::uint64_t> offsets{0};
  std::vector<NodeIndex> nodes, neighbours;
  std::vector<std::uint64_t> feature_offsets{0};
  std::vector<std::uint32_t> columns;
  std::vector<float> values;
  SparseRows edges, features;
};

scenario::Partition rule(const std::string& name) {
  scenario::Partition partition;
  const auto* field = partition.GetDescriptor()->FindFieldByName(name);
  partition.GetReflection()->MutableMessage(&partition, field);
  return partition;
}

// What every deal promises: each sample at most once, all of them, ascending, within bounds.
void expect_partition(const Deal& deal, std::size_t samples, std::size_t agents, std::size_t minimum) {
  ASSERT_EQ(deal.agents(), agents);
  ASSERT_EQ(deal.offsets.front(), 0u);
  ASSERT_EQ(deal.offsets.back(), deal.samples.size());
  std::vector<int> seen(samples);
  for (std::size_t agent = 0; agent < agents; ++agent) {
    const auto mine = deal.of(agent);
    EXPECT_GE(mine.size(), minimum);
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    for (const SampleIndex sample : mine) ++seen[sample];
  }
  EXPECT_THAT(seen, Each(1));
}

std::vector<std::size_t> sizes(const Deal& deal) {
  std::vector<std::size_t> result;
  for (std::size_t agent = 0; agent < deal.agents(); ++agent) result.push_back(deal.of(agent).size());
  return result;
}

class EveryRule : public testing::TestWithParam<std::string> {};

TEST_P(EveryRule, deals_every_sample_once_and_honours_the_minimum) {
  const Samples samples(1003, 10);
  for (const std::size_t agents : {10u, 17u, 100u}) {
    for (const std::uint32_t minimum : {0u, 1u, 10u}) {
      scenario::Partition partition = rule(GetParam());
      partition.set_min_samples(minimum);

      const RepairedDeal dealt = deal_samples(partition, samples.input(agents), 1);

      expect_partition(dealt.deal, 1003, agents, minimum);
    }
  }
}

TEST_P(EveryRule, deals_the_same_for_the_same_seed) {
  const Samples samples(1000, 10);

  const Deal once = deal_samples(rule(GetParam()), samples.input(20), 7).deal;
  const Deal again = deal_samples(rule(GetParam()), samples.input(20), 7).deal;
  const Deal other = deal_samples(rule(GetParam()), samples.input(20), 8).deal;

  EXPECT_EQ(once.samples, again.samples);
  EXPECT_EQ(once.offsets, again.offsets);
  const bool draws = GetParam() != "natural" && GetParam() != "louvain";
  EXPECT_EQ(once.samples == other.samples, !draws);
}

TEST_P(EveryRule, ends_on_hostile_inputs_with_a_partition_or_an_error) {
  struct Case {
    std::size_t samples;
    int classes;
    std::size_t agents;
  };
  for (const Case c : {Case{1, 2, 1}, Case{5, 10, 5}, Case{100, 10, 1}, Case{100, 10, 99}, Case{50, 2, 7},
                       Case{20, 100, 20}, Case{30, 10, 3}}) {
    Samples one_class(c.samples, c.classes), mixed(c.samples, c.classes);
    std::fill(one_class.labels.begin(), one_class.labels.end(), 1);
    for (const Samples* samples : {&one_class, &mixed}) {
      RepairedDeal dealt;
      const std::string error =
          input_error([&] { dealt = deal_samples(rule(GetParam()), samples->input(c.agents), 1); });
      if (error.empty()) {
        expect_partition(dealt.deal, c.samples, c.agents, 1);
      } else {
        EXPECT_THAT(error, HasSubstr("partition"));
      }
    }
  }
}

TEST_P(EveryRule, refuses_more_clients_than_samples) {
  const Samples samples(10, 10);

  const std::string error = input_error([&] { deal_samples(rule(GetParam()), samples.input(11), 1); });

  EXPECT_THAT(error, HasSubstr("partition.min_samples = 1: 11 clients need 11 samples, the data set has 10"));
}

TEST_P(EveryRule, deals_a_million_samples_to_a_hundred_thousand_clients) {
  const Samples samples(1'000'000, 10);
  if (GetParam() == "bekm") {
    EXPECT_THAT(input_error([&] { deal_samples(rule(GetParam()), samples.input(100'000), 1); }),
                HasSubstr("partition.bekm: sorts the distances of 1000000 nodes from 100000 clients"));
    return;
  }

  scenario::Partition chosen = rule(GetParam());
  if (GetParam() == "blpa") chosen.mutable_blpa()->set_passes(3);  // of 100, of which one takes as long as another

  const RepairedDeal dealt = deal_samples(chosen, samples.input(100'000), 1);

  expect_partition(dealt.deal, 1'000'000, 100'000, 1);
}

INSTANTIATE_TEST_SUITE_P(Partition, EveryRule, testing::ValuesIn(PluginRegistry<Partitioner>::instance().names()),
                         [](const auto& instance) { return instance.param; });

TEST(PartitionRules, are_all_registered) {
  EXPECT_THAT(PluginRegistry<Partitioner>::instance().names(),
              ElementsAre("balanced_dirichlet", "bekm", "blpa", "classes_per_client", "dirichlet", "discovery",
                          "gamma_similarity", "half_classes", "iid", "label_group", "louvain", "natural",
                          "one_class_expert", "quantity", "shards"));
  EXPECT_THAT(input_error([] { deal_samples({}, Samples(10, 2).input(2), 1); }), HasSubstr("no rule is chosen"));
}

TEST(Iid, gives_equal_sizes) {
  const Samples samples(103, 10);

  EXPECT_THAT(sizes(deal_samples(rule("iid"), samples.input(10), 1).deal),
              ElementsAre(11, 11, 11, 10, 10, 10, 10, 10, 10, 10));
}

TEST(Iid, lets_clients_share_samples_when_asked_to) {
  const Samples samples(100, 10);
  scenario::Partition partition;
  partition.mutable_iid()->set_overlapping_samples(60);

  const Deal deal = deal_samples(partition, samples.input(200), 1).deal;
  std::vector<int> holders(100);
  for (const SampleIndex sample : deal.samples) ++holders[sample];

  EXPECT_THAT(sizes(deal), Each(60));
  for (std::size_t agent = 0; agent < 200; ++agent) {
    EXPECT_EQ(std::set<SampleIndex>(deal.of(agent).begin(), deal.of(agent).end()).size(), 60u);
  }
  // Binomial(200, 0.6): mean 120, standard deviation 6.9.
  EXPECT_THAT(holders, Each(testing::AllOf(Ge(90), Le(150))));
  partition.mutable_iid()->set_overlapping_samples(101);
  EXPECT_THAT(input_error([&] { deal_samples(partition, samples.input(2), 1); }),
              HasSubstr("partition.iid.overlapping_samples = 101: the data set has 100 samples"));
}

double heterogeneity(const scenario::Partition& partition, const Samples& samples, std::size_t agents) {
  const Deal deal = deal_samples(partition, samples.input(agents), 1).deal;
  return distance_from_iid(class_table(deal, samples.labels, samples.class_count), agents, samples.class_count);
}

TEST(Dirichlet, is_the_more_uneven_the_smaller_alpha) {
  const Samples samples(10'000, 10);
  double before = 0.0, balanced_before = 0.0;
  for (const double alpha : {1e6, 10.0, 1.0, 0.1, 0.01}) {
    scenario::Partition plain, balanced;
    plain.mutable_dirichlet()->set_alpha(alpha);
    balanced.mutable_balanced_dirichlet()->set_alpha(alpha);

    const double distance = heterogeneity(plain, samples, 20), balanced_distance = heterogeneity(balanced, samples, 20);

    EXPECT_GT(distance, before) << alpha;
    EXPECT_GT(balanced_distance, balanced_before) << alpha;
    before = distance, balanced_before = balanced_distance;
  }
  EXPECT_GT(before, 0.7);
}

TEST(Dirichlet, with_the_smallest_alpha_gives_whole_classes_and_still_honours_the_minimum) {
  const Samples samples(10'000, 10);
  for (const char* name : {"dirichlet", "balanced_dirichlet"}) {
    scenario::Partition partition = rule(name);
    partition.set_min_samples(5);
    if (partition.has_dirichlet()) partition.mutable_dirichlet()->set_alpha(1e-6);
    if (partition.has_balanced_dirichlet()) partition.mutable_balanced_dirichlet()->set_alpha(1e-6);

    const RepairedDeal dealt = deal_samples(partition, samples.input(500), 1);

    expect_partition(dealt.deal, 10'000, 500, 5);
    EXPECT_GE(dealt.moved, partition.has_dirichlet() ? 490u * 5 : 0u);
  }
}

TEST(BalancedDirichlet, gives_equal_sizes) {
  EXPECT_THAT(sizes(deal_samples(rule("balanced_dirichlet"), Samples(1000, 10).input(8), 1).deal), Each(125));
}

TEST(Shards, give_every_client_few_classes) {
  const Samples samples(1000, 10);

  const Deal deal = deal_samples(rule("shards"), samples.input(50), 1).deal;
  const auto table = class_table(deal, samples.labels, 10);

  EXPECT_THAT(sizes(deal), Each(20));
  for (std::size_t agent = 0; agent < 50; ++agent) {
    const auto row = std::span(table).subspan(agent * 10, 10);
    EXPECT_LE(10 - std::count(row.begin(), row.end(), 0), 2);
  }
  scenario::Partition partition;
  partition.mutable_shards()->set_per_client(21);
  EXPECT_THAT(input_error([&] { deal_samples(partition, samples.input(50), 1); }),
              HasSubstr("partition.shards.per_client = 21: 50 clients need 1050 shards"));
}

TEST(ClassesPerClient, gives_exactly_so_many_classes_and_shares_each_evenly) {
  const Samples samples(3000, 10);
  for (const std::uint32_t classes : {1u, 2u, 3u, 7u, 10u}) {
    scenario::Partition partition;
    partition.mutable_classes_per_client()->set_classes(classes);

    const Deal deal = deal_samples(partition, samples.input(30), 1).deal;
    const auto table = class_table(deal, samples.labels, 10);

    for (std::size_t agent = 0; agent < 30; ++agent) {
      const auto row = std::span(table).subspan(agent * 10, 10);
      EXPECT_EQ(10 - std::count(row.begin(), row.end(), 0u), classes);
      EXPECT_NEAR(static_cast<double>(deal.of(agent).size()), 100.0, classes);  // at most one off per class
    }
  }
}

TEST(ClassesPerClient, names_what_it_cannot_do) {
  scenario::Partition partition;
  partition.mutable_classes_per_client()->set_classes(12);
  EXPECT_THAT(input_error([&] { deal_samples(partition, Samples(100, 10).input(5), 1); }),
              HasSubstr("partition.classes_per_client.classes = 12: the data set has 10 classes"));
  partition.mutable_classes_per_client()->set_classes(2);
  EXPECT_THAT(input_error([&] { deal_samples(partition, Samples(100, 10).input(4), 1); }),
              HasSubstr("4 clients cannot hold all of the data set's 10 classes"));
  EXPECT_THAT(input_error([&] { deal_samples(partition, Samples(100, 10).input(90), 1); }),
              HasSubstr("has 10 samples for the 18 clients"));
}

TEST(Quantity, draws_log_normal_sizes) {
  const Samples samples(1'000'000, 10);
  scenario::Partition partition;
  partition.mutable_quantity()->set_sigma(0.7);

  const Deal deal = deal_samples(partition, samples.input(2000), 1).deal;
  double sum = 0, squares = 0;
  for (const std::size_t size : sizes(deal)) {
    const double x = std::log(static_cast<double>(size));
    sum += x, squares += x * x;
  }
  const double mean = sum / 2000;

  EXPECT_NEAR(std::sqrt(squares / 2000 - mean * mean), 0.7, 0.04);  // its standard error is 0.011
  partition.mutable_quantity()->set_sigma(0);
  EXPECT_THAT(sizes(deal_samples(partition, samples.input(2000), 1).deal), Each(500));
}

TEST(LabelGroup, sends_a_class_to_its_group_with_probability_q) {
  const Samples samples(100'000, 10);
  for (const double q : {0.1, 0.5, 0.9, 1.0}) {
    scenario::Partition partition;
    partition.mutable_label_group()->set_q(q);

    const Deal deal = deal_samples(partition, samples.input(30), 1).deal;
    const auto table = class_table(deal, samples.labels, 10);
    double own = 0;
    for (std::size_t agent = 0; agent < 30; ++agent) own += table[agent * 10 + agent % 10];

    EXPECT_NEAR(own / 100'000, q, 0.007);  // four standard errors
  }
  EXPECT_THAT(input_error([&] { deal_samples(rule("label_group"), samples.input(9), 1); }),
              HasSubstr("partition.label_group.groups = 10: there are only 9 clients"));
}

TEST(OneClassExpert, gives_every_client_its_share_of_one_class_and_the_rest_of_others) {
  const Samples samples(10'000, 10);
  for (const double share : {0.0, 0.5, 0.8, 1.0}) {
    scenario::Partition partition;
    partition.mutable_one_class_expert()->set_share(share);

    const Deal deal = deal_samples(partition, samples.input(50), 1).deal;
    const auto table = class_table(deal, samples.labels, 10);

    EXPECT_THAT(sizes(deal), Each(200));
    for (std::size_t agent = 0; agent < 50; ++agent) EXPECT_EQ(table[agent * 10 + agent % 10], 200 * share);
  }
}

TEST(OneClassExpert, shares_its_experts_in_proportion_to_the_classes) {
  Samples samples(1000, 2);
  for (std::size_t i = 0; i < 1000; ++i) samples.labels[i] = i < 800 ? 0 : 1;
  scenario::Partition partition;
  partition.mutable_one_class_expert()->set_share(0.9);

  const Deal deal = deal_samples(partition, samples.input(10), 1).deal;
  const auto table = class_table(deal, samples.labels, 2);
  int experts_of_the_small_class = 0;
  for (std::size_t agent = 0; agent < 10; ++agent) experts_of_the_small_class += table[agent * 2 + 1] >= 50;

  EXPECT_EQ(experts_of_the_small_class, 2);
}

TEST(GammaSimilarity, lies_between_sorted_and_iid) {
  const Samples samples(10'000, 10);
  double before = 1.0;
  for (const double gamma : {0.0, 0.3, 0.7, 1.0}) {
    scenario::Partition partition;
    partition.mutable_gamma_similarity()->set_gamma(gamma);

    const double distance = heterogeneity(partition, samples, 10);

    EXPECT_LT(distance, before);
    EXPECT_NEAR(distance, 0.9 * (1 - gamma), 0.05);
    before = distance;
  }
}

TEST(Natural, gives_group_g_to_client_g_mod_clients) {
  const Samples samples(100, 10);

  const Deal deal = deal_samples(rule("natural"), samples.input(3), 1).deal;

  EXPECT_THAT(sizes(deal), ElementsAre(40, 30, 30));
  EXPECT_EQ(deal.of(1)[0], 10u);
  EXPECT_EQ(deal.of(1)[10], 40u);
  DealInput none = samples.input(3);
  none.groups = {};
  EXPECT_THAT(input_error([&] { deal_samples(rule("natural"), none, 1); }), HasSubstr("names no groups"));
  EXPECT_THAT(input_error([&] { deal_samples(rule("natural"), samples.input(11), 1); }),
              HasSubstr("names 10 groups, too few for 11 clients"));
}

TEST(Repair, takes_from_the_currently_largest_and_moves_no_more_than_needed) {
  // Groups of 6, 5 and 1 samples for three clients that must hold 4: three samples move, from agents 0, 0 and 1.
  Samples samples(12, 2);
  samples.groups = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2};
  scenario::Partition partition = rule("natural");
  partition.set_min_samples(4);

  const RepairedDeal dealt = deal_samples(partition, samples.input(3), 1);

  EXPECT_EQ(dealt.moved, 3u);
  EXPECT_THAT(sizes(dealt.deal), ElementsAre(4, 4, 4));
  EXPECT_EQ(dealt.deal.of(2).back(), 11u);
}

TEST(ClassTable, counts_and_its_distance_is_total_variation) {
  const Deal deal{{0, 1, 2, 3}, {0, 2, 4}};
  const std::vector<std::int32_t> labels{0, 0, 1, 1};

  const auto table = class_table(deal, labels, 2);

  EXPECT_THAT(table, ElementsAre(2, 0, 0, 2));
  EXPECT_DOUBLE_EQ(distance_from_iid(table, 2, 2), 0.5);
  EXPECT_DOUBLE_EQ(distance_from_iid(std::vector<std::uint32_t>{1, 1, 1, 1}, 2, 2), 0.0);
}

TEST(Apportion, adds_up_and_rounds_the_largest_remainders_up) {
  EXPECT_THAT(apportion(10, std::vector<double>{1, 1, 1}), ElementsAre(4, 3, 3));
  EXPECT_THAT(apportion(7, std::vector<double>{0, 5, 2}), ElementsAre(0, 5, 2));
  EXPECT_THAT(apportion(3, std::vector<double>{0.5, 0.1, 0.4}), ElementsAre(2, 0, 1));
}

}  // namespace
}  // namespace souk::partition_test
