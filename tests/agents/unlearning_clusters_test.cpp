// Clusters of clients: the mean of models that are trained alone, of which forgetting touches one.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/clusters.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_clusters_test {
namespace {

using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

const std::string learned =
    "rounds: 5 task { data { glyphs { train_samples: 300 test_samples: 60 } } model { mlp { hidden: 8 } } "
    "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 6 everyone: true } ";

std::string asked(const std::string& request) {
  return "unlearning { requests { name: \"r\" round: 4 " + request + " } } ";
}

std::vector<std::uint32_t> members(const Finished& run, std::uint32_t cluster) {
  const std::vector<std::uint32_t> clusters = cluster_numbers(run.resolved.scenario->clusters(), run.federation());
  std::vector<std::uint32_t> mine;
  for (std::uint32_t id = 0; id < clusters.size(); ++id) {
    if (clusters[id] == cluster) mine.push_back(id);
  }
  return mine;
}

std::string numbers(const std::vector<std::uint32_t>& ids) {
  std::string text;
  for (const std::uint32_t id : ids) text += (text.empty() ? "" : ", ") + std::to_string(id);
  return text;
}

/// Each cluster's model is what a federation of its clients alone learns: one that has forgotten all others before it
/// learned anything.
TEST(Clusters, have_the_mean_of_models_that_are_trained_alone) {
  const Finished both(learned + "clusters { count: 2 } ");
  std::vector<float> mean(both.model().size(), 0.0F);
  for (const std::uint32_t cluster : {0U, 1U}) {
    const Finished alone(learned + "unlearning { requests { round: 2 clients { ids: [" +
                         numbers(members(both, 1 - cluster)) + "] } retrain {} } } ");
    for (std::size_t v = 0; v < mean.size(); ++v) mean[v] += 0.5F * alone.model()[v];
  }
  EXPECT_THAT(both.model(), Pointwise(FloatNear(1e-6F), mean));
}

TEST(Clusters, by_retraining_those_touched_leave_no_bit_of_the_forgotten) {
  const std::string world = learned + "clusters { count: 3 } ";
  for (const std::string& what : {std::string("clients { ids: 2 }"), std::string("samples { of_client: 2 share: 0.5 }"),
                                  std::string("change { of { of_client: 2 } another_label {} }")}) {
    const Finished run(world + asked(what + " retrain_clusters {} reference {}"));
    const RoundRecord& record = run.records[3];
    EXPECT_EQ(record.metric("unlearning.r.relative_distance"), 0.0) << what;
    EXPECT_EQ(record.metric("unlearning.r.after.agreement"), 1.0) << what;
    EXPECT_GT(record.metric("unlearning.r.before.distance").value_or(0.0), 0.0) << what;
    const auto told = std::ranges::find(record.events, "clusters retrained", &EventRow::kind);
    ASSERT_NE(told, record.events.end());
    EXPECT_EQ(told->text, "1 of 3") << what;
  }
}

/// What the forgotten client made of its data is in nothing that follows.
TEST(Clusters, know_nothing_of_the_data_of_who_left) {
  const auto run = [](const std::string& more) {
    return simulate(learned + "clusters { count: 2 } " + more + asked("clients { ids: 2 } retrain_clusters {}"));
  };
  EXPECT_EQ(run("").hash, run("attacks { members { id: 2 } label_flip {} } ").hash);
}

TEST(Clusters, retrain_for_a_part_of_what_retraining_all_takes) {
  const Finished run(learned + "clusters { count: 3 } " + asked("clients { ids: 2 } retrain_clusters {}"));
  const std::vector<std::uint32_t> clusters = cluster_numbers(run.resolved.scenario->clusters(), run.federation());
  double samples = 0.0;
  for (std::uint32_t id = 0; id < clusters.size(); ++id) {
    if (id != 2 && clusters[id] == clusters[2]) samples += static_cast<double>(run.units_of(id).size());
  }
  EXPECT_EQ(run.records[3].metric("unlearning.r.gradients"), 3.0 * samples);
}

TEST(Clusters, give_the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  const std::string text = learned + "clusters { count: 2 assignment: BALANCED } partition { dirichlet {} } " +
                           asked("clients { ids: 1 } retrain_clusters {} reference { other_seeds: 1 }");
  const Simulated one = simulate(text), three = simulate(text, 3);
  EXPECT_EQ(one.state, three.state);
  for (const std::uint32_t round : {2U, 4U}) EXPECT_EQ(one.state, simulate(text, 2, round).state) << round;
}

TEST(Clusters, of_balanced_sizes_are_nearer_to_each_other_than_drawn_ones) {
  const auto spread = [](const std::string& how) {
    const Finished run(learned + "partition { quantity { sigma: 1 } } clusters { count: 2 assignment: " + how + " } ");
    std::vector<double> held(2, 0.0);
    for (const std::uint32_t c : {0U, 1U}) {
      for (const std::uint32_t id : members(run, c)) held[c] += static_cast<double>(run.units_of(id).size());
    }
    return std::abs(held[0] - held[1]);
  };
  EXPECT_LE(spread("BALANCED"), spread("RANDOM"));
}

TEST(Clusters, refuse_what_works_on_one_model) {
  const auto told = [](const std::string& more) { return refusal_of(learned + more); };
  EXPECT_THAT(told("clusters { count: 7 }"), HasSubstr("clusters.count = 7: there are 6 clients"));
  EXPECT_THAT(told("clusters {} market { unit_price {} }"), HasSubstr("leave one of them out"));
  EXPECT_THAT(told("clusters {} " + asked("clients { ids: 1 } retrain {}")),
              HasSubstr("unlearning.requests[0].retrain: changes one model"));
  EXPECT_THAT(told(asked("clients { ids: 1 } retrain_clusters {}")), HasSubstr("the scenario has no clusters"));
  EXPECT_THAT(told("clusters {} " + asked("rejected {} retrain_clusters {}")), HasSubstr("verdicts of one rule"));
}

}  // namespace
}  // namespace souk::unlearning_clusters_test
