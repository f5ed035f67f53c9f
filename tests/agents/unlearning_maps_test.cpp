// Maps of answers, MEGU's and GNNDelete's, against their losses written down again and differentiated by differences.
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/streams.hpp"
#include "sim/learn/tasks/node_classification.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_maps_test {
namespace {

using testing::HasSubstr;
using Row = std::vector<double>;

constexpr std::size_t classes = 3;

std::string nodes_of(const std::string& request) {
  return "rounds: 3 training_rounds: 2 task { data { communities { custom { nodes: 160 edges: 400 classes: 3 features: "
         "30 } } "
         "scaling: ROWS } model { gcn { hidden: 8 } } training { local_epochs: 10 batch_size: 0 learning_rate: 0.05 "
         "adam {} } } "
         "participants { clients: 2 everyone: true } " +
         (request.empty() ? "" : "unlearning { requests { name: \"r\" round: 3 " + request + " } } ");
}

std::vector<Row> logits_of(const Finished& run) {
  const auto all = run.task().nodes()->logits(run.model());
  std::vector<Row> rows;
  for (std::size_t first = 0; first < all.size(); first += classes) {
    rows.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(first),
                      all.begin() + static_cast<std::ptrdiff_t>(first + classes));
  }
  return rows;
}

Row soft(const Row& logits, double temperature) {
  Row p;
  double sum = 0.0;
  for (const double z : logits) sum += p.emplace_back(std::exp(z / temperature));
  for (double& value : p) value /= sum;
  return p;
}

Row times(const Row& w, const Row& f) {
  Row out(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t k = 0; k < classes; ++k) out[c] += w[c * classes + k] * f[k];
  }
  return out;
}

struct Unit {
  Row before, now;
  std::size_t label = 0;
};

double divergence(const Row& before, const Row& answer, double t) {
  const Row p = soft(before, t), q = soft(answer, t);
  double sum = 0.0;
  for (std::size_t c = 0; c < classes; ++c) sum += p[c] * std::log(p[c] / q[c]);
  return t * t * sum;
}

double loss(const Row& w, const std::vector<Unit>& gone, const std::vector<Unit>& stay, double kappa, double t) {
  double of_gone = 0.0, of_stay = 0.0;
  for (const Unit& unit : gone) {
    const Row answer = times(w, unit.before);
    of_gone += divergence(unit.before, answer, t) + std::log(soft(answer, 1.0)[unit.label]);
  }
  for (const Unit& unit : stay) {
    const Row answer = times(w, unit.now);
    of_stay += divergence(unit.before, answer, t) - std::log(soft(answer, 1.0)[unit.label]);
  }
  return kappa * of_gone / static_cast<double>(gone.size()) + of_stay / static_cast<double>(stay.size());
}

std::set<NodeIndex> within_two(const Graph& graph, std::set<NodeIndex> nodes) {
  for (int hop = 0; hop < 2; ++hop) {
    for (const NodeIndex v : std::set<NodeIndex>(nodes)) {
      for (std::uint64_t e = graph.edges.offsets[v]; e < graph.edges.offsets[v + 1]; ++e)
        nodes.insert(graph.edges.columns[e]);
    }
  }
  return nodes;
}

/// Two training nodes are forgotten by a map, of a model that stays.
struct Mapped {
  explicit Mapped(const std::string& how)
      : before(nodes_of("")),
        graph(before.federation().data().graph),
        touched{graph.train_nodes[before.units_of(0)[2]], graph.train_nodes[before.units_of(1)[5]]},
        run(nodes_of("nodes { ids: [" + std::to_string(*touched.begin()) + ", " + std::to_string(*touched.rbegin()) +
                     "] } " + how)),
        then(logits_of(before)),
        now(logits_of(run)),
        near(within_two(graph, touched)) {
    EXPECT_EQ(before.model(), run.model());
    for (const NodeIndex v : touched) {
      gone.push_back({then[v], then[v], static_cast<std::size_t>(std::ranges::max_element(then[v]) - then[v].begin())});
    }
    for (std::size_t unit = 0; unit < graph.train_nodes.size(); ++unit) {
      const NodeIndex v = graph.train_nodes[unit];
      if (!near.contains(v) || touched.contains(v)) continue;
      stay.push_back({then[v], now[v], static_cast<std::size_t>(before.task().labels()[unit])});
    }
  }

  /// That the model answers through these weights near the two nodes, and as it does elsewhere.
  void expect(const Row& weights) const {
    const ModelServer::Answering here(run.server());
    const std::vector<Row> answers = logits_of(run);
    double moved = 0.0;
    for (NodeIndex v = 0; v < answers.size(); ++v) {
      const Row expected = near.contains(v) ? times(weights, now[v]) : now[v];
      for (std::size_t c = 0; c < classes; ++c) {
        ASSERT_NEAR(answers[v][c], expected[c], 1e-3) << v;
        moved = std::max(moved, std::abs(expected[c] - now[v][c]));
      }
    }
    EXPECT_GT(moved, 0.1);
    EXPECT_EQ(run.number("loss"), run.number("unlearning.r.after.loss"));
  }

  Finished before;
  Graph graph;
  std::set<NodeIndex> touched;
  Finished run;
  std::vector<Row> then, now;
  std::set<NodeIndex> near;
  std::vector<Unit> gone, stay;
};

Row slope(const Row& w, const std::function<double(const Row&)>& loss_at) {
  Row gradient;
  for (std::size_t i = 0; i < w.size(); ++i) {
    Row up = w, down = w;
    up[i] += 1e-6;
    down[i] -= 1e-6;
    gradient.push_back((loss_at(up) - loss_at(down)) / 2e-6);
  }
  return gradient;
}

TEST(Megu, maps_answers_near_the_forgotten_by_a_map_that_its_loss_has_learned) {
  const Mapped mapped("megu { kappa: 0.5 steps: 20 learning_rate: 0.2 temperature: 2 }");
  Row w{1, 0, 0, 0, 1, 0, 0, 0, 1};
  for (int step = 0; step < 20; ++step) {
    const Row gradient = slope(w, [&](const Row& at) { return loss(at, mapped.gone, mapped.stay, 0.5, 2.0); });
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= 0.2 * gradient[i];
  }
  mapped.expect(w);
}

TEST(GnnDelete, maps_answers_near_the_forgotten_by_a_matrix_that_its_loss_has_learned) {
  const Mapped mapped("gnn_delete { alpha: 0.3 steps: 60 learning_rate: 0.02 weight_decay: 0.01 }");
  Stream random(mapped.run.resolved.scenario->seed(), streams::other_nodes({3}));
  std::vector<Row> wanted;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto others = mapped.graph.test_nodes;
    wanted.push_back(mapped.then[others[random.below(static_cast<std::uint32_t>(others.size()))]]);
  }
  const auto squares = [](const Row& a, const Row& b) {
    double sum = 0.0;
    for (std::size_t c = 0; c < classes; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]) / classes;
    return sum;
  };
  const auto loss_at = [&](const Row& w) {
    double of_gone = 0.0, of_stay = 0.0, decay = 0.0;
    for (std::size_t i = 0; i < 2; ++i) of_gone += squares(times(w, mapped.gone[i].before), wanted[i]) / 2.0;
    for (const Unit& unit : mapped.stay) of_stay += squares(soft(times(w, unit.now), 1.0), soft(unit.before, 1.0));
    for (const double value : w) decay += 0.5 * 0.01 * value * value;
    return 0.3 * of_gone + 0.7 * of_stay / static_cast<double>(mapped.stay.size()) + decay;
  };
  Row w(9, 0.001), first(9), second(9);
  for (int step = 1; step <= 60; ++step) {
    const Row gradient = slope(w, loss_at);
    for (std::size_t i = 0; i < w.size(); ++i) {
      first[i] = 0.9 * first[i] + 0.1 * gradient[i];
      second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
      w[i] -=
          0.02 * (first[i] / (1 - std::pow(0.9, step))) / (std::sqrt(second[i] / (1 - std::pow(0.999, step))) + 1e-8);
    }
  }
  mapped.expect(w);
}

TEST(Megu, without_steps_of_any_length_changes_nothing) {
  const std::string what = "nodes { share: 0.1 } ";
  const Finished nothing(nodes_of(what + "no_update {}")), weak(nodes_of(what + "megu { learning_rate: 1e-30 }"));
  EXPECT_NEAR(nothing.number("unlearning.r.after.loss"), weak.number("unlearning.r.after.loss"), 1e-6);
  EXPECT_EQ(nothing.model(), weak.model());
}

TEST(Megu, is_kept_over_a_break_and_of_several_requests_goes_on_from_the_last) {
  const std::string text = nodes_of(
      "nodes { share: 0.1 } megu {} } requests { name: \"s\" round: 4 edges { share: 0.1 } gnn_delete { steps: 50 }");
  const std::string later = "rounds: 6 " + text.substr(text.find("training_rounds"));
  const Simulated one = simulate(later), three = simulate(later, 3), broken = simulate(later, 2, 4);
  EXPECT_EQ(one.state, three.state);
  EXPECT_EQ(one.state, broken.state);
  EXPECT_EQ(one.records[5].metric("loss"), broken.records[5].metric("loss"));
  EXPECT_NE(one.records[2].metric("loss"), one.records[3].metric("loss"));
}

TEST(Maps, are_refused_for_rows) {
  for (const std::string how : {"megu {}", "gnn_delete {}"}) {
    EXPECT_THAT(refusal_of(run_of(2, "logreg {}", "learning_rate: 0.1", "clients { ids: 1 } " + how)),
                HasSubstr("answers about nodes"));
  }
}

}  // namespace
}  // namespace souk::unlearning_maps_test
