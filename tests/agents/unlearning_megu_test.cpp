// MEGU's map of answers, against its loss written down again and differentiated by differences.
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/learn/tasks/node_classification.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_megu_test {
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

TEST(Megu, maps_answers_near_the_forgotten_by_a_map_that_its_loss_has_learned) {
  const Finished before(nodes_of(""));
  const Graph graph = before.federation().data().graph;
  const SampleIndex first = before.units_of(0)[2], second = before.units_of(1)[5];
  const std::set<NodeIndex> touched{graph.train_nodes[first], graph.train_nodes[second]};
  const Finished run(nodes_of("nodes { ids: [" + std::to_string(*touched.begin()) + ", " +
                              std::to_string(*touched.rbegin()) +
                              "] } megu { kappa: 0.5 steps: 20 learning_rate: 0.2 temperature: 2 }"));
  ASSERT_EQ(before.model(), run.model());
  const std::vector<Row> then = logits_of(before), now = logits_of(run);
  const std::set<NodeIndex> near = within_two(graph, touched);
  std::vector<Unit> gone, stay;
  for (const NodeIndex v : touched) {
    gone.push_back({then[v], then[v], static_cast<std::size_t>(std::ranges::max_element(then[v]) - then[v].begin())});
  }
  for (std::size_t unit = 0; unit < graph.train_nodes.size(); ++unit) {
    const NodeIndex v = graph.train_nodes[unit];
    if (!near.contains(v) || touched.contains(v)) continue;
    stay.push_back({then[v], now[v], static_cast<std::size_t>(before.task().labels()[unit])});
  }
  Row w{1, 0, 0, 0, 1, 0, 0, 0, 1};
  for (int step = 0; step < 20; ++step) {
    Row gradient;
    for (std::size_t i = 0; i < w.size(); ++i) {
      Row up = w, down = w;
      up[i] += 1e-6;
      down[i] -= 1e-6;
      gradient.push_back((loss(up, gone, stay, 0.5, 2.0) - loss(down, gone, stay, 0.5, 2.0)) / 2e-6);
    }
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= 0.2 * gradient[i];
  }
  const ModelServer::Answering here(run.server());
  const std::vector<Row> answers = logits_of(run);
  double moved = 0.0;
  for (NodeIndex v = 0; v < answers.size(); ++v) {
    const Row expected = near.contains(v) ? times(w, now[v]) : now[v];
    for (std::size_t c = 0; c < classes; ++c) {
      ASSERT_NEAR(answers[v][c], expected[c], 1e-3) << v;
      moved = std::max(moved, std::abs(expected[c] - now[v][c]));
    }
  }
  EXPECT_GT(moved, 0.1);
  EXPECT_EQ(run.number("loss"), run.number("unlearning.r.after.loss"));
}

TEST(Megu, without_steps_of_any_length_changes_nothing) {
  const std::string what = "nodes { share: 0.1 } ";
  const Finished nothing(nodes_of(what + "no_update {}")), weak(nodes_of(what + "megu { learning_rate: 1e-30 }"));
  EXPECT_NEAR(nothing.number("unlearning.r.after.loss"), weak.number("unlearning.r.after.loss"), 1e-6);
  EXPECT_EQ(nothing.model(), weak.model());
}

TEST(Megu, is_kept_over_a_break_and_of_several_requests_goes_on_from_the_last) {
  const std::string text =
      nodes_of("nodes { share: 0.1 } megu {} } requests { name: \"s\" round: 4 edges { share: 0.1 } megu {}");
  const std::string later = "rounds: 6 " + text.substr(text.find("training_rounds"));
  const Simulated one = simulate(later), three = simulate(later, 3), broken = simulate(later, 2, 4);
  EXPECT_EQ(one.state, three.state);
  EXPECT_EQ(one.state, broken.state);
  EXPECT_EQ(one.records[5].metric("loss"), broken.records[5].metric("loss"));
  EXPECT_NE(one.records[2].metric("loss"), one.records[3].metric("loss"));
}

TEST(Megu, is_refused_for_rows) {
  EXPECT_THAT(refusal_of(run_of(2, "logreg {}", "learning_rate: 0.1", "clients { ids: 1 } megu {}")),
              HasSubstr("maps answers about nodes"));
}

}  // namespace
}  // namespace souk::unlearning_megu_test
