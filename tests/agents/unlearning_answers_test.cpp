// Models of clusters that answer together, and shards of a graph: against answers put together by hand, and models that
// were trained alone.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/answer_weights.hpp"
#include "agents/unlearning/clusters.hpp"
#include "agents/unlearning/looks.hpp"
#include "sim/learn/softmax.hpp"
#include "tests/sim/learn/fixtures.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_answers_test {
namespace {

using fixtures::parse;
using testing::Each;
using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::Ge;
using testing::HasSubstr;
using testing::Pointwise;

const std::string rows =
    "rounds: 5 task { data { glyphs { train_samples: 300 test_samples: 60 } } model { mlp { hidden: 8 } } "
    "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 3 everyone: true } ";
/// Three clients, each a shard.
const std::string nodes =
    "rounds: 5 task { data { communities { custom { nodes: 240 edges: 900 classes: 3 features: 40 } graph { sight: "
    "OWN_NODES } } scaling: ROWS } model { gcn { hidden: 8 } } training { local_epochs: 4 batch_size: 0 learning_rate: "
    "0.05 adam {} } } participants { clients: 3 everyone: true } partition { blpa {} } ";

std::string together(const std::string& rule) { return "clusters { count: 3 " + rule + " {} } "; }

std::string asked(const std::string& request) {
  return "unlearning { requests { name: \"r\" round: 4 " + request + " } } ";
}

std::vector<float> put_together(const std::string& rule, const std::vector<float>& said, std::size_t classes,
                                std::size_t size) {
  const auto config = parse<scenario::Clusters>(rule + " {}");
  std::vector<float> out(size);
  make_together_rule(config)->answer(said, classes, out);
  return out;
}

TEST(Together, answer_by_the_mean_and_by_votes) {
  // Three models about two samples.
  const std::vector<float> said{0.9F, 0.1F, 0.6F, 0.4F, 0.4F, 0.6F, 0.3F, 0.7F, 0.45F, 0.55F, 0.2F, 0.8F};
  EXPECT_THAT(put_together("mean_answer", said, 2, 4),
              Pointwise(FloatNear(1e-6F), std::vector<float>{1.75F / 3, 1.25F / 3, 1.1F / 3, 1.9F / 3}));
  // The mean of the first sample is for class 0, and two of three votes for class 1.
  EXPECT_THAT(put_together("majority_vote", said, 2, 4),
              Pointwise(FloatNear(1e-6F), std::vector<float>{(1 + 1.75F / 3) / 4, (2 + 1.25F / 3) / 4,
                                                             (1 + 1.1F / 3) / 4, (2 + 1.9F / 3) / 4}));
  // One vote each: the mean decides.
  const std::vector<float> split{0.9F, 0.1F, 0.4F, 0.6F};
  const std::vector<float> voted = put_together("majority_vote", split, 2, 2);
  EXPECT_GT(voted[0], voted[1]);
}

/// What models say of 200 units of three classes; the better ones know the truth more often.
struct SomeModels {
  explicit SomeModels(const std::vector<double>& skills) : count(skills.size()) {
    Stream random(7, StreamKey{Purpose::dataset, nobody, RoundIndex{0}});
    for (const double skill : skills) {
      for (std::size_t unit = 0; unit < 200; ++unit) {
        std::vector<double> row(3);
        for (double& p : row) p = random.uniform();
        if (random.uniform() < skill) row[unit % 3] += 3.0;
        const double sum = std::accumulate(row.begin(), row.end(), 0.0);
        for (const double p : row) said.push_back(static_cast<float>(p / sum));
      }
    }
    for (std::int32_t unit = 0; unit < 200; ++unit) labels.push_back(unit % 3);
  }
  KnownAnswers known() const { return {.models = count, .classes = 3, .said = said, .labels = labels}; }
  std::size_t count;
  std::vector<float> said;
  std::vector<std::int32_t> labels;
};

TEST(LearnedWeights, are_learned_by_their_loss) {
  const std::vector<float> said{0.8F, 0.2F, 0.5F, 0.5F};
  const std::vector<std::int32_t> labels{0};
  const double first = std::exp(0.3 * 0.8 + 0.7 * 0.5), second = std::exp(0.3 * 0.2 + 0.7 * 0.5);
  EXPECT_NEAR(loss_of_weights({.models = 2, .classes = 2, .said = said, .labels = labels}, std::vector{0.3, 0.7}),
              -std::log(first / (first + second)) + std::sqrt(0.09 + 0.49), 1e-6);
}

/// Adam, clamp and division by the sum, once more, with differences for the gradient.
TEST(LearnedWeights, are_those_of_their_loop) {
  const SomeModels models({0.1, 0.9, 0.4, 0.95});
  std::vector<double> w(4, 0.25), first(4), second(4);
  for (int step = 1; step <= 60; ++step) {
    std::vector<double> gradient;
    for (std::size_t i = 0; i < 4; ++i) {
      std::vector<double> up = w, down = w;
      up[i] += 1e-6;
      down[i] -= 1e-6;
      gradient.push_back((loss_of_weights(models.known(), up) - loss_of_weights(models.known(), down)) / 2e-6);
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
      first[i] = 0.9 * first[i] + 0.1 * gradient[i];
      second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
      w[i] -= 0.03 * first[i] / (1 - std::pow(0.9, step)) / (std::sqrt(second[i] / (1 - std::pow(0.999, step))) + 1e-8);
      w[i] = std::max(w[i], 0.0);
      sum += w[i];
    }
    for (double& value : w) value /= sum;
  }
  const auto config = parse<scenario::LearnedWeights>("passes: 60 batch_size: 200 learning_rate: 0.03");
  const std::vector<double> learned = learned_weights(config, models.known(), 1);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(learned[i], w[i], 1e-4) << i;
}

TEST(LearnedWeights, have_a_lower_loss_than_equal_ones_and_sum_to_one) {
  const SomeModels models({0.0, 0.1, 0.9, 0.0, 0.2, 0.95, 0.1, 0.0});
  for (const char* config : {"", "batch_size: 7 learning_rate: 0.01", "learning_rate: 50 passes: 3"}) {
    const std::vector<double> learned = learned_weights(parse<scenario::LearnedWeights>(config), models.known(), 1);
    EXPECT_NEAR(std::accumulate(learned.begin(), learned.end(), 0.0), 1.0, 1e-12) << config;
    EXPECT_THAT(learned, Each(Ge(0.0))) << config;
    if (*config != '\0') continue;  // longer steps may end beyond the least loss, at one model alone
    EXPECT_LT(loss_of_weights(models.known(), learned), loss_of_weights(models.known(), std::vector<double>(8, 0.125)))
        << config;
  }
}

/// Of two models the length of the weights outweighs what they say: both of Adam's steps are as long, and their sum is
/// all that changes.
TEST(LearnedWeights, of_few_models_may_stay_equal) {
  const SomeModels models({0.2, 0.7});
  const auto config = parse<scenario::LearnedWeights>("passes: 300 batch_size: 200");
  EXPECT_THAT(learned_weights(config, models.known(), 1), testing::Each(testing::DoubleNear(0.5, 1e-6)));
}

/// Who is in cluster `c`, where each has one.
std::uint32_t member_of(const Finished& run, std::uint32_t c) {
  const std::vector<std::uint32_t> clusters = cluster_numbers(run.resolved.scenario->clusters(), run.federation());
  return static_cast<std::uint32_t>(std::ranges::find(clusters, c) - clusters.begin());
}

/// The model of a client that learns alone: one that all others have left before it learned anything; `more`: requests
/// of that round.
std::vector<float> alone(const std::string& world, std::uint32_t client, const std::string& more = "") {
  std::string others;
  for (std::uint32_t id = 0; id < 3; ++id) {
    if (id != client) others += (others.empty() ? "" : ", ") + std::to_string(id);
  }
  return Finished(world + "unlearning { requests { name: \"alone\" round: 2 clients { ids: [" + others +
                  "] } retrain {} } " + more + "} ")
      .model();
}

std::vector<float> probabilities(const Finished& run, std::span<const float> model) {
  const std::vector<SampleIndex> tested = all_units(run.task(), Split::test);
  std::vector<float> answers = answers_to(run.comm, run.task(), model, Split::test, tested, 25);
  const auto classes = static_cast<std::size_t>(run.task().classes());
  for (std::size_t first = 0; first < answers.size(); first += classes) {
    softmax(std::span(answers).subspan(first, classes));
  }
  return answers;
}

TEST(Together, have_the_mean_answer_of_models_that_are_trained_alone) {
  for (const std::string& world : {rows, nodes}) {
    const Finished run(world + together("mean_answer"));
    std::vector<double> mean;
    for (std::uint32_t client = 0; client < 3; ++client) {
      const std::vector<float> one = probabilities(run, alone(world, client));
      mean.resize(one.size());
      for (std::size_t i = 0; i < one.size(); ++i) mean[i] += static_cast<double>(one[i]) / 3.0;
    }
    const ModelServer::Answering here(run.server());
    const std::vector<float> answers = probabilities(run, run.model());
    for (std::size_t i = 0; i < mean.size(); ++i) ASSERT_NEAR(static_cast<double>(answers[i]), mean[i], 1e-5);
  }
}

/// Whoever tests hears the answer of all; the parameters that are there are their mean, and answer otherwise.
TEST(Together, are_what_is_tested) {
  const Finished mean(nodes + together("mean_model")), answer(nodes + together("mean_answer"));
  EXPECT_EQ(mean.model(), answer.model());
  EXPECT_NE(mean.number("loss"), answer.number("loss"));
  const std::vector<float> own = probabilities(answer, answer.model());
  const ModelServer::Answering here(answer.server());
  const std::vector<float> together = probabilities(answer, answer.model());
  EXPECT_NE(own, together);
  const auto labels = answer.task().labels(Split::test);
  double loss = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    loss -= std::log(static_cast<double>(together[i * 3 + static_cast<std::size_t>(labels[i])]));
  }
  EXPECT_NEAR(answer.number("loss"), loss / static_cast<double>(labels.size()), 1e-5);
}

/// Bit for bit: the mean of the models is that of one trained anew and two that nobody has touched.
TEST(Shards, that_hold_nothing_of_the_forgotten_keep_their_models) {
  const Finished before(nodes + together("mean_answer"));
  const NodeIndex node = before.federation().data().graph.train_nodes[before.units_of(1)[3]];
  const std::string what = "nodes { ids: " + std::to_string(node) + " }";
  const Finished run(nodes + together("mean_answer") + asked(what + " retrain_clusters {}"));
  std::vector<std::vector<float>> models;
  for (std::uint32_t c = 0; c < 3; ++c) {
    const std::uint32_t client = member_of(before, c);
    const std::string more = "requests { name: \"node\" round: 2 " + what + " retrain {} } ";
    models.push_back(alone(nodes, client, client == 1 ? more : ""));
  }
  EXPECT_NE(models[0], models[1]);
  std::vector<float> mean;
  for (std::size_t v = 0; v < models[0].size(); ++v) {
    double sum = 0.0;
    for (const auto& model : models) sum += static_cast<double>(model[v]);
    mean.push_back(static_cast<float>(sum / 3.0));
  }
  EXPECT_EQ(run.model(), mean);
  EXPECT_NE(run.model(), before.model());
}

TEST(Shards, answer_after_forgetting_as_if_they_had_never_seen_it) {
  for (const std::string rule : {"mean_model", "mean_answer", "majority_vote", "learned_weights"}) {
    for (const std::string what : {"nodes { share: 0.1 }", "edges { share: 0.02 }", "features { share: 0.05 }",
                                   "clients { ids: 1 }", "samples { of_client: 2 share: 0.3 }"}) {
      const Finished run(nodes + together(rule) + asked(what + " retrain_clusters {} reference {}"));
      const RoundRecord& record = run.records[3];
      const auto number = [&](const std::string& name) { return record.metric("unlearning.r." + name); };
      EXPECT_EQ(number("after.loss"), number("retrained.loss")) << rule << " " << what;
      EXPECT_EQ(number("after.agreement"), 1.0) << rule << " " << what;
      EXPECT_EQ(number("after.divergence"), 0.0) << rule << " " << what;
      EXPECT_EQ(number("after.distance"), 0.0) << rule << " " << what;
      EXPECT_GT(number("before.distance").value_or(0.0), 0.0) << rule << " " << what;
    }
  }
}

/// Nobody has seen an edge between two shards while it trained.
TEST(Shards, are_touched_by_edges_within_them_alone) {
  std::vector<std::string> told;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    const Finished run("seed: " + std::to_string(seed) + " " + nodes + together("mean_answer") +
                       asked("edges { share: 0.0011 } retrain_clusters {}"));
    const auto& edges = run.federation().forgotten().graph.edges;
    ASSERT_EQ(edges.size(), 1U);
    bool within = false;
    for (std::uint32_t client = 0; client < 3; ++client) {
      std::vector<NodeIndex> own;
      for (const SampleIndex unit : run.units_of(client))
        own.push_back(run.federation().data().graph.train_nodes[unit]);
      within = within || (std::ranges::count(own, edges[0].first) + std::ranges::count(own, edges[0].second) == 2);
    }
    const auto& events = run.records[3].events;
    const auto event = std::ranges::find(events, "clusters retrained", &EventRow::kind);
    ASSERT_NE(event, events.end());
    EXPECT_EQ(event->text, within ? "1 of 3" : "0 of 3") << seed;
    told.push_back(event->text);
  }
  EXPECT_THAT(told, testing::Contains("1 of 3"));
  EXPECT_THAT(told, testing::Contains("0 of 3"));
}

TEST(Shards, give_the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  for (const std::string& world : {nodes, rows}) {
    const std::string text = world + together("learned_weights") +
                             asked("samples { share: 0.05 } retrain_clusters {} reference { other_seeds: 1 }");
    const Simulated one = simulate(text), three = simulate(text, 3), broken = simulate(text, 2, 3);
    EXPECT_EQ(one.state, three.state);
    EXPECT_EQ(one.state, broken.state);
    for (const std::uint32_t r : {1U, 3U, 4U}) {
      EXPECT_EQ(one.records[r].metric("loss"), three.records[r].metric("loss")) << r;
      if (r > 2) {
        EXPECT_EQ(one.records[r].metric("loss"), broken.records[r].metric("loss")) << r;
      }
    }
    EXPECT_EQ(one.records[3].metric("unlearning.r.floor.divergence"),
              three.records[3].metric("unlearning.r.floor.divergence"));
  }
}

/// Who stays is asked about the units that weights are learned on, by the models of all.
TEST(Shards, count_what_weights_cost) {
  const std::string request = asked("samples { of_client: 0 share: 0.2 } retrain_clusters {}");
  const Finished mean(nodes + together("mean_answer") + request),
      learned(nodes + together("learned_weights") + request);
  std::size_t stay = 0;
  for (std::uint32_t client = 0; client < 3; ++client) stay += learned.units_of(client).size();
  EXPECT_NEAR(learned.records[3].metric("unlearning.r.gradients").value_or(0.0),
              mean.records[3].metric("unlearning.r.gradients").value_or(0.0) + static_cast<double>(stay), 1e-6);
}

TEST(Together, of_numbers_take_their_mean) {
  const std::string waves =
      "rounds: 2 task { data { waves { train_samples: 200 test_samples: 50 } } model { linear {} } training { "
      "learning_rate: 0.01 } } participants { clients: 3 everyone: true } ";
  EXPECT_THAT(refusal_of(waves + together("majority_vote")),
              HasSubstr("clusters.majority_vote: votes for classes, and the data set has numbers"));
  EXPECT_THAT(refusal_of(waves + together("learned_weights")), HasSubstr("take mean_answer"));
  // The mean of affine functions is that of mean parameters.
  const Finished answer(waves + together("mean_answer")), model(waves + together("mean_model"));
  EXPECT_NEAR(answer.number("loss"), model.number("loss"), 1e-5);
}

TEST(Shards, refuse_what_looks_at_all_of_the_graph) {
  const auto told = [](const std::string& from, const std::string& to) {
    std::string text = nodes + together("mean_answer");
    const std::size_t place = text.find(from);
    return refusal_of(text.replace(place, from.size(), to));
  };
  EXPECT_THAT(told("sight: OWN_NODES", ""), HasSubstr("sight: OWN_NODES"));
  EXPECT_THAT(told("local_epochs: 4", "local_epochs: 4 early_stopping {}"), HasSubstr("early_stopping"));
  EXPECT_THAT(told("partition", "root { samples: 20 always: true } partition"), HasSubstr("root data"));
}

}  // namespace
}  // namespace souk::unlearning_answers_test
