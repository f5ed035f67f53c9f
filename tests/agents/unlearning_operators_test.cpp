// Operators of forgetting against oracles of their own: hand-computed cases, loops written down again, dense solutions.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/simulation.hpp"
#include "agents/training/saved_model.hpp"
#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/kept_shares.hpp"
#include "agents/unlearning/looks.hpp"
#include "agents/unlearning/mean_objective.hpp"
#include "agents/unlearning/teacher_divergence.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/streams.hpp"
#include "sim/learn/curvature/diagonal.hpp"
#include "sim/learn/curvature/restricted_hessian.hpp"
#include "sim/learn/tasks/row_task.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_operators_test {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

/// A run on one rank that can be looked into afterwards.
struct Finished {
  explicit Finished(const std::string& text)
      : resolved(resolve_scenario({.file_name = "test", .text = text, .overrides = {}})),
        simulation(make_simulation(comm, *resolved.scenario, "cpu")) {
    const std::optional<InjectedFault> no_fault;
    for (std::uint32_t r = 1; r <= resolved.scenario->rounds(); ++r) {
      RoundRecord& record = records.emplace_back();
      record.round = {r};
      Phases phases(comm, {r}, no_fault);
      simulation->run_round({r}, r == resolved.scenario->rounds(), phases, record);
    }
  }
  ModelServer& server() const { return simulation->model(0); }
  const Federation& federation() const { return server().federation(); }
  Task& task() const { return federation().task(); }
  std::vector<float> model() const { return {simulation->parameters().begin(), simulation->parameters().end()}; }
  std::vector<SampleIndex> units_of(std::uint32_t client) const {
    return federation().validators().training_samples({client});
  }
  std::vector<DealtUnits> holders(const std::vector<std::uint32_t>& clients) const {
    std::vector<DealtUnits> holders;
    for (const std::uint32_t client : clients) holders.push_back({{client}, units_of(client)});
    return holders;
  }
  double number(const std::string& name) const {
    const std::optional<double> value = records.back().metric(name);
    EXPECT_TRUE(value.has_value()) << name;
    return value.value_or(std::nan(""));
  }
  std::size_t events(const std::string& kind) const {
    std::size_t count = 0;
    for (const RoundRecord& record : records) {
      for (const EventRow& event : record.events) count += event.kind == kind ? 1U : 0U;
    }
    return count;
  }
  Comm comm = Comm::self();
  ResolvedScenario resolved;
  std::vector<RoundRecord> records;
  std::unique_ptr<Simulation> simulation;
};

/// Four clients learn for some rounds; then, before the last one, in which nothing is learned, somebody is forgotten.
/// Networks without hidden layers have few parameters.
std::string run_of(std::uint32_t learned, const std::string& model, const std::string& training,
                   const std::string& request, const std::string& more = "") {
  const std::string data = model == "logreg {}"
                               ? "baskets { train_samples: 240 test_samples: 100 classes: 4 features: 20 overlap: 0.9 }"
                               : "glyphs { train_samples: 240 test_samples: 60 }";
  const std::string last = std::to_string(learned + 1);
  return "rounds: " + last + " training_rounds: " + std::to_string(learned) + " task { data { " + data + " } model { " +
         model + " } training { " + training + " } } participants { clients: 4 everyone: true } " + more +
         (request.empty() ? "" : " unlearning { requests { name: \"r\" round: " + last + " " + request + " } }");
}

std::vector<double> difference(std::span<const float> a, std::span<const float> b) {
  std::vector<double> out;
  for (std::size_t v = 0; v < a.size(); ++v) out.push_back(static_cast<double>(a[v]) - static_cast<double>(b[v]));
  return out;
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double length(std::span<const double> a) { return std::sqrt(dot(a, a)); }

/// Gauss' elimination with pivots, [n, n] by rows.
std::vector<double> solved(std::vector<std::vector<double>> matrix, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i + 1; r < n; ++r) {
      if (std::abs(matrix[r][i]) > std::abs(matrix[pivot][i])) pivot = r;
    }
    std::swap(matrix[i], matrix[pivot]);
    std::swap(b[i], b[pivot]);
    for (std::size_t r = i + 1; r < n; ++r) {
      const double factor = matrix[r][i] / matrix[i][i];
      for (std::size_t c = i; c < n; ++c) matrix[r][c] -= factor * matrix[i][c];
      b[r] -= factor * b[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t c = i + 1; c < n; ++c) b[i] -= matrix[i][c] * b[c];
    b[i] /= matrix[i][i];
  }
  return b;
}

KeptRound kept_round(std::uint32_t round, const std::vector<std::uint32_t>& clients, std::vector<double> weights,
                     double total, const std::vector<std::vector<float>>& updates) {
  KeptRound kept{
      .round = {round}, .clients = {}, .weights = std::move(weights), .total = total, .updates = {}, .change = {}};
  for (const std::uint32_t client : clients) kept.clients.push_back({client});
  for (const std::vector<float>& update : updates) kept.updates.emplace_back(Comm::self(), update);
  return kept;
}

/// Two rounds of three clients, the second of whom goes. Round 1, equal weights: all make (1/3)(1 + 4 + 7) = 4 and
/// (2 + 0 + 4) / 3 = 2, the others (1 + 7) / 2 = 4 and 3. Round 2, weights .5, .25, .25: all make 2 and 3, the others
/// (.5 * 2 + .25 * 6) / .75 = 10/3 and (.5 * 4 + .25 * 2) / .75 = 10/3.
TEST(FedRecovery, turns_back_what_hand_computation_says) {
  const Comm comm = Comm::self();
  std::vector<KeptRound> rounds;
  rounds.push_back(kept_round(1, {0, 1, 2}, {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1.0, {{1, 2}, {4, 0}, {7, 4}}));
  rounds.push_back(kept_round(2, {0, 1, 2}, {0.5, 0.25, 0.25}, 1.0, {{2, 4}, {-2, 2}, {6, 2}}));
  const std::vector<AgentId> gone{{1}};
  const KeptSteps steps{comm, rounds, gone, 2};
  EXPECT_THAT(turn_by_forgotten(steps, {2}, 1.0),
              ElementsAre(DoubleNear(2.0 - 10.0 / 3, 1e-6), DoubleNear(-1.0 + 3.0 - 10.0 / 3, 1e-6)));
  EXPECT_THAT(turn_by_forgotten(steps, {2}, 0.5),
              ElementsAre(DoubleNear(2.0 - 10.0 / 3, 1e-6), DoubleNear(-0.5 + 3.0 - 10.0 / 3, 1e-6)));
  EXPECT_THAT(share_of_forgotten(steps), ElementsAre(DoubleNear(4.0 / 3 - 0.5, 1e-6), DoubleNear(0.5, 1e-6)));
}

/// Whoever was forgotten before has left the whole step to the others; where nobody else was there, nobody makes one.
TEST(FedRecovery, of_one_after_another_is_of_both_at_once) {
  const Comm comm = Comm::self();
  std::vector<KeptRound> all, rest;
  all.push_back(kept_round(1, {0, 1, 2}, {0.5, 0.25, 0.25}, 1.0, {{1}, {4}, {7}}));
  rest.push_back(kept_round(1, {0, 2}, {0.5, 0.25}, 1.0, {{1}, {7}}));
  const std::vector<AgentId> first{{1}}, second{{2}}, both{{1}, {2}}, everybody{{0}, {1}, {2}};
  const double together = turn_by_forgotten({comm, all, both, 1}, {1}, 1.0)[0];
  EXPECT_NEAR(
      turn_by_forgotten({comm, all, first, 1}, {1}, 1.0)[0] + turn_by_forgotten({comm, rest, second, 1}, {1}, 1.0)[0],
      together, 1e-6);
  EXPECT_NEAR(together, 0.5 + 1.0 + 1.75 - 1.0, 1e-6);
  EXPECT_NEAR(turn_by_forgotten({comm, all, everybody, 1}, {1}, 1.0)[0], 3.25, 1e-6);
}

/// Updates of the first round know nothing of each other.
TEST(FedRecovery, of_one_round_is_retraining) {
  const Finished run(run_of(1, "mlp { hidden: 6 }", "batch_size: 16 learning_rate: 0.1",
                            "clients { ids: 2 } fed_recovery {} reference {}"));
  EXPECT_LT(run.number("unlearning.r.relative_distance"), 1e-5);
}

/// The loop written down again: AdaHessian's moments, with the signs that the operator draws.
TEST(RapidRetraining, takes_the_steps_of_its_formula) {
  const std::string model = "logreg {}", training = "learning_rate: 0.1 sgd { weight_decay: 0.01 }";
  const Finished run(
      run_of(1, model, training,
             "clients { ids: 2 } rapid_retraining { steps: 3 learning_rate: 0.15 beta1: 0.8 beta2: 0.9 }"));
  const Finished plain(run_of(1, model, training, ""));
  std::vector<float> w = initial_parameters(plain.federation(), 0);
  const std::vector<DealtUnits> stay = plain.holders({0, 1, 3});
  std::vector<SampleIndex> units;
  for (const DealtUnits& holder : stay) units.insert(units.end(), holder.units.begin(), holder.units.end());
  std::vector<double> m(w.size(), 0.0), v(w.size(), 0.0);
  for (std::uint32_t t = 1; t <= 3; ++t) {
    std::vector<float> gradient(w.size()), signs(w.size()), product(w.size());
    plain.task().gradient(w, units, gradient);
    Stream random(plain.resolved.scenario->seed(), streams::hessian_signs(0, {2}, t - 1));
    for (float& sign : signs) sign = (random.next() & 1U) == 0 ? 1.0F : -1.0F;
    plain.task().hessian_vector(w, units, signs, product);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double g = gradient[i] + 0.01 * w[i], d = signs[i] * (product[i] + 0.01 * signs[i]);
      m[i] = 0.8 * m[i] + 0.2 * g;
      v[i] = 0.9 * v[i] + 0.1 * d * d;
      w[i] -= static_cast<float>(0.15 * (m[i] / (1 - std::pow(0.8, t))) /
                                 (std::sqrt(v[i] / (1 - std::pow(0.9, t))) + 1e-4));
    }
  }
  const std::vector<double> moved = difference(w, initial_parameters(plain.federation(), 0));
  EXPECT_LT(length(difference(run.model(), w)), 1e-4 * length(moved));
}

TEST(RapidRetraining, reaches_what_full_batches_reach_with_fewer_gradients) {
  const auto run = [](const std::string& how) {
    return Finished(run_of(150, "logreg {}", "learning_rate: 0.05 batch_size: 0", "clients { ids: 2 } " + how));
  };
  const Finished anew = run("retrain {}"), rapid = run("rapid_retraining { steps: 25 }");
  EXPECT_GE(rapid.number("unlearning.r.after.accuracy"), anew.number("unlearning.r.after.accuracy") - 0.02);
  EXPECT_LT(rapid.number("unlearning.r.gradients"), 0.7 * anew.number("unlearning.r.gradients"));
}

TEST(RestrictedHessian, of_the_last_layer_is_what_its_name_begins_with) {
  const ParameterLayout layout({{.name = "conv.weight", .shape = {4, 3}},
                                {.name = "conv.bias", .shape = {4}},
                                {.name = "fc.self", .shape = {2, 4}},
                                {.name = "fc.bias", .shape = {2}},
                                {.name = "norm.mean", .shape = {4}, .trainable = false}});
  EXPECT_EQ(parameters_of_last_layer(layout).first, 16U);
  EXPECT_EQ(parameters_of_last_layer(layout).size, 10U);
  const ParameterLayout one({{.name = "fc.weight", .shape = {2, 4}}, {.name = "fc.bias", .shape = {2}}});
  EXPECT_EQ(parameters_of_last_layer(one).first, 0U);
  EXPECT_EQ(parameters_of_last_layer(one).size, 10U);
}

/// Newton's step on the last layer, by Gauss' elimination, with products of its own; the others do not move.
TEST(Influence, of_the_last_layer_is_the_dense_solution_there) {
  const std::string model = "mlp { hidden: 4 }",
                    training = "learning_rate: 0.1 local_epochs: 3 sgd { weight_decay: 0.02 }";
  const Finished before(run_of(2, model, training, ""));
  const std::vector<float> theta = before.model();
  std::vector<SampleIndex> units;
  for (const std::uint32_t client : {0U, 1U, 3U}) {
    for (const SampleIndex unit : before.units_of(client)) units.push_back(unit);
  }
  const std::size_t size = 4 * 10 + 10, first = theta.size() - size;
  std::vector<float> gradient(theta.size()), direction(theta.size(), 0.0F), product(theta.size()), work = theta;
  before.task().gradient(work, units, gradient);
  std::vector<double> b;
  std::vector<std::vector<double>> hessian(size, std::vector<double>(size));
  for (std::size_t i = 0; i < size; ++i) {
    b.push_back(-(gradient[first + i] + 0.02 * theta[first + i]));
    direction[first + i] = 1.0F;
    before.task().hessian_vector(theta, units, direction, product);
    direction[first + i] = 0.0F;
    for (std::size_t j = 0; j < size; ++j) hessian[j][i] = product[first + j] + (i == j ? 0.02 + 0.1 : 0.0);
  }
  const std::vector<double> x = solved(hessian, b);
  for (const char* solver : {"cholesky {}", "conjugate_gradient { tolerance: 1e-6 }", "lissa { steps: 3000 }"}) {
    const Finished after(
        run_of(2, model, training,
               std::string("clients { ids: 2 } influence_step { scope: LAST_LAYER damping: 0.1 halvings: 0 ") + solver +
                   " }"));
    const std::vector<double> moved = difference(after.model(), theta);
    for (std::size_t v = 0; v < first; ++v) EXPECT_EQ(moved[v], 0.0) << solver;
    std::vector<double> apart;
    for (std::size_t i = 0; i < size; ++i) apart.push_back(moved[first + i] - x[i]);
    EXPECT_LT(length(apart), 2e-3 * length(x)) << solver;
  }
}

TEST(Influence, of_one_layer_has_one_scope) {
  const auto model = [](const std::string& scope) {
    return Finished(run_of(2, "logreg {}", "learning_rate: 0.1",
                           "clients { ids: 2 } influence_step { scope: " + scope + " }"))
        .model();
  };
  EXPECT_EQ(model("ALL"), model("LAST_LAYER"));
}

/// The bug of both authors' codes is a solution twice as long; mini-batches blur it.
TEST(Influence, by_stochastic_descent_comes_to_the_dense_solution_and_not_to_twice_of_it) {
  const std::string training = "learning_rate: 0.1 sgd { weight_decay: 0.05 }";
  const auto moved = [&](const std::string& solver) {
    const std::vector<float> before = Finished(run_of(2, "logreg {}", training, "")).model();
    return difference(Finished(run_of(2, "logreg {}", training,
                                      "clients { ids: 2 } influence_step { damping: 0.1 halvings: 0 " + solver + " }"))
                          .model(),
                      before);
  };
  const std::vector<double> dense = moved("cholesky {}");
  for (const char* batch : {"10000", "60"}) {
    const std::vector<double> x =
        moved(std::string("stochastic { steps: 1500 learning_rate: 0.002 batch_size: ") + batch + " }");
    EXPECT_NEAR(dot(x, dense) / dot(dense, dense), 1.0, 0.05) << batch;
    std::vector<double> apart;
    for (std::size_t v = 0; v < x.size(); ++v) apart.push_back(x[v] - dense[v]);
    EXPECT_LT(length(apart), (std::string(batch) == "60" ? 0.25 : 0.02) * length(dense)) << batch;
  }
}

/// Gradient, product, loss and squared gradients of an attacker's units are those of what it trained on.
TEST(ClientSums, of_an_attacker_are_of_flipped_labels) {
  const Finished run(
      run_of(1, "mlp { hidden: 5 }", "learning_rate: 0.1", "", "attacks { members { id: 2 } label_flip {} } "));
  RowTask& rows = *run.task().rows();
  const std::vector<DealtUnits> holders = run.holders({2});
  const std::vector<SampleIndex>& units = holders[0].units;
  std::vector<float> features(units.size() * run.federation().train().features());
  run.federation().train().copy_features(units, features);
  std::vector<std::int32_t> flipped;
  for (const SampleIndex unit : units) flipped.push_back(9 - run.task().labels()[unit]);
  std::vector<float> model = run.model(), by_hand(model.size()), stored(model.size()), direction(model.size(), 0.1F),
                     product(model.size());
  const Batch batch{.features = features, .labels = flipped, .samples = units.size()};
  const double loss = rows.network().gradient(model, batch, by_hand);
  rows.network().hessian_vector(model, batch, direction, product);
  rows.gradient(model, units, stored);
  MeanObjective objective(run.server(), run.task(), holders, model);
  const std::vector<double> gradient = objective.gradient();
  std::vector<float> of_sums(model.size());
  objective.hessian()(direction, of_sums);
  EXPECT_THAT(gradient, Pointwise(DoubleNear(1e-6), std::vector<double>(by_hand.begin(), by_hand.end())));
  EXPECT_LT(length(difference(of_sums, product)),
            1e-4 * length(difference(product, std::vector<float>(model.size(), 0.0F))));
  EXPECT_NEAR(objective.at(std::vector<double>(model.begin(), model.end())), loss, 1e-5);
  EXPECT_GT(length(difference(by_hand, stored)), 0.1 * length(std::vector<double>(stored.begin(), stored.end())));
  // Alone, unit by unit: the same samples are poisoned.
  std::vector<double> squares(model.size(), 0.0);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::size_t width = run.federation().train().features();
    rows.network().gradient(model,
                            {.features = std::span(features).subspan(i * width, width),
                             .labels = std::span(flipped).subspan(i, 1),
                             .samples = 1},
                            by_hand);
    for (std::size_t v = 0; v < squares.size(); ++v)
      squares[v] += by_hand[v] * by_hand[v] / static_cast<double>(units.size());
  }
  EXPECT_THAT(objective.fisher_diagonal(), Pointwise(DoubleNear(1e-6), squares));
}

/// A client whose group has not acted trained on its samples as they are.
TEST(ClientSums, of_an_attacker_that_does_not_act_are_of_samples_as_stored) {
  const Finished run(
      run_of(2, "logreg {}", "learning_rate: 0.1", "", "attacks { members { id: 2 } label_flip {} from_round: 9 } "));
  const std::vector<DealtUnits> holders = run.holders({2});
  std::vector<float> model = run.model(), stored(model.size());
  run.task().gradient(model, holders[0].units, stored);
  MeanObjective objective(run.server(), run.task(), holders, model);
  EXPECT_THAT(objective.gradient(), Pointwise(DoubleNear(1e-6), std::vector<double>(stored.begin(), stored.end())));
}

/// A number of each mini-batch: as many as the batches of a pass have, and the same ones every time.
TEST(ClientSums, of_an_attacker_by_mini_batches_poison_as_many_as_a_pass) {
  const Finished run(run_of(1, "logreg {}", "learning_rate: 0.1 batch_size: 16", "",
                            "attacks { members { id: 2 } label_flip {} poison_per_batch: 3 } "));
  const std::vector<SampleIndex> mine = run.units_of(2);
  const BatchEdit edit = run.server().edit_of({2}, mine);
  std::vector<std::int32_t> labels;
  for (const SampleIndex unit : mine) labels.push_back(run.task().labels()[unit]);
  std::vector<std::int32_t> edited = labels;
  std::vector<float> features(mine.size() * run.federation().train().features());
  edit({.which = mine, .features = features, .labels = edited});
  std::size_t changed = 0;
  for (std::size_t i = 0; i < mine.size(); ++i) changed += labels[i] != edited[i] ? 1U : 0U;
  EXPECT_EQ(changed, 3 * ((mine.size() + 15) / 16));
  for (std::size_t i = 0; i < mine.size(); ++i) {
    std::int32_t alone = labels[i];
    edit({.which = std::span(mine).subspan(i, 1),
          .features = std::span(features).first(features.size() / mine.size()),
          .labels = std::span(&alone, 1)});
    EXPECT_EQ(alone, edited[i]) << i;
  }
}

/// Mean of KL(p_a || p_b) over units, from logits.
double divergence(const std::vector<float>& a, const std::vector<float>& b, std::size_t width) {
  double sum = 0.0;
  for (std::size_t first = 0; first < a.size(); first += width) {
    double za = 0.0, zb = 0.0;
    for (std::size_t c = first; c < first + width; ++c) {
      za += std::exp(static_cast<double>(a[c]));
      zb += std::exp(static_cast<double>(b[c]));
    }
    for (std::size_t c = first; c < first + width; ++c) {
      const double p = std::exp(static_cast<double>(a[c])) / za, q = std::exp(static_cast<double>(b[c])) / zb;
      sum += p * std::log(p / q);
    }
  }
  return sum / static_cast<double>(a.size() / width);
}

/// At temperature 2 against central differences, and by hand where the answers are the teacher's.
TEST(TeacherDivergence, has_the_gradient_of_its_losses) {
  TeacherDivergence divergence(3, 2.0);
  divergence.teach({1.0F, -0.5F, 0.25F, 0.0F, 2.0F, 1.0F});
  const std::vector<float> logits{0.3F, 0.1F, -0.7F, 1.0F, -0.5F, 0.25F};
  const std::vector<std::int32_t> rows{1, 0};
  const Targets targets{.classes = rows};
  std::vector<float> gradient = logits;
  const double sum = divergence.gradient(gradient, 3, targets, 2);
  std::vector<double> losses(2);
  divergence.losses(logits, 3, targets, losses);
  EXPECT_NEAR(losses[0] + losses[1], sum, 1e-9);
  EXPECT_NEAR(losses[1], 0.0, 1e-6);
  for (std::size_t v = 0; v < logits.size(); ++v) {
    std::vector<float> up = logits, down = logits;
    up[v] += 1e-2F;
    down[v] -= 1e-2F;
    std::vector<double> above(2), below(2);
    divergence.losses(up, 3, targets, above);
    divergence.losses(down, 3, targets, below);
    EXPECT_NEAR(gradient[v], (above[0] + above[1] - below[0] - below[1]) / 0.02 / 2.0, 1e-4) << v;
  }
}

TEST(TwoTeachers, bring_answers_about_the_forgotten_near_those_of_an_untrained_network) {
  const std::string model = "mlp { hidden: 12 }", training = "learning_rate: 0.1 local_epochs: 5 batch_size: 16";
  const Finished before(run_of(4, model, training, ""));
  std::vector<SampleIndex> gone, rest;
  for (const std::uint32_t client : {0U, 1U, 2U, 3U}) {
    for (const SampleIndex unit : before.units_of(client))
      (before.task().labels()[unit] == 3 ? gone : rest).push_back(unit);
  }
  std::ranges::sort(gone);
  std::ranges::sort(rest);
  const auto answers = [&](const std::vector<float>& of, const std::vector<SampleIndex>& units) {
    return answers_to(before.comm, before.task(), of, Split::train, units, 50);
  };
  std::vector<float> untrained = before.model();
  Stream random(before.resolved.scenario->seed(), streams::random_model(0, {5}));
  before.task().initialise(random, untrained);
  const auto after = [&](const std::string& how) {
    return Finished(run_of(4, model, training, "samples { of_class: 3 } d2dgn { " + how + " }")).model();
  };
  const std::vector<float> taught = after("steps: 100 learning_rate: 0.5");
  const auto wanted = answers(untrained, gone);
  EXPECT_LT(divergence(wanted, answers(taught, gone), 10), 0.4 * divergence(wanted, answers(before.model(), gone), 10));
  EXPECT_LT(divergence(answers(before.model(), rest), answers(taught, rest), 10), 0.3);
  // Nobody to unlearn from: the model answers as before by being what it was.
  EXPECT_LT(length(difference(after("alpha: 0"), before.model())), 1e-5);
}

TEST(TwoTeachers, teach_nodes_of_a_graph) {
  const auto text = [](const std::string& request) {
    return "rounds: 2 training_rounds: 1 task { data { communities { custom { nodes: 200 edges: 600 classes: 3 "
           "features: 60 } } } "
           "model { gcn { hidden: 8 } } training { learning_rate: 0.05 batch_size: 0 local_epochs: 40 adam {} } } "
           "participants { clients: 2 everyone: true } unlearning { requests { name: \"r\" round: 2 " +
           request + " } }";
  };
  const Finished taught(text("nodes { share: 0.2 } d2dgn { steps: 30 }"));
  const Finished nothing(text("nodes { share: 0.2 } no_update {}"));
  EXPECT_GT(taught.number("unlearning.r.after.accuracy"), nothing.number("unlearning.r.after.accuracy") - 0.1);
  EXPECT_NE(taught.model(), nothing.model());
  EXPECT_EQ(Finished(text("edges { share: 0.2 } d2dgn { steps: 2 }")).events("d2dgn"), 1U);
}

const std::string certified = "logreg {}";
std::string convex_training(const std::string& noise) {
  return "learning_rate: 0.5 batch_size: 0 sgd { weight_decay: 0.05 } objective_noise: " + noise;
}

/// b / N is added to every gradient, whatever the optimizer: a step of it beside one without.
TEST(ObjectiveNoise, is_added_to_local_gradients) {
  for (const char* how : {"sgd { weight_decay: 0.05 }", "sgd { weight_decay: 0.05 momentum: 0.9 }",
                          "algorithm: FED_SGD sgd { weight_decay: 0.05 }"}) {
    const std::string training = std::string("learning_rate: 0.5 batch_size: 0 ") + how;
    const Finished noisy(run_of(1, "logreg {}", training + " objective_noise: 30", ""));
    const Finished plain(run_of(1, "logreg {}", training, ""));
    std::size_t units = 0;
    for (const std::uint32_t client : {0U, 1U, 2U, 3U}) units += noisy.units_of(client).size();
    Stream random(noisy.resolved.scenario->seed(), streams::objective_noise(0));
    const std::vector<double> moved = difference(noisy.model(), plain.model());
    for (const double value : moved) {
      EXPECT_NEAR(value, -0.5 * 30 * random.normal() / static_cast<double>(units), 1e-5) << how;
    }
  }
}

/// Certified steps: the account against a gradient computed here, and its budget.
TEST(CertifiedStep, accounts_for_what_it_leaves) {
  const std::string request = "clients { ids: 2 } certified_step { epsilon: 2000 delta: 0.01 }";
  const Finished before(run_of(40, certified, convex_training("3"), ""));
  const Finished after(run_of(40, certified, convex_training("3"), request));
  const auto residual = [&](const std::vector<float>& model, const std::vector<std::uint32_t>& clients) {
    std::vector<SampleIndex> units;
    for (const std::uint32_t client : clients) {
      for (const SampleIndex unit : before.units_of(client)) units.push_back(unit);
    }
    std::vector<float> work = model, gradient(model.size());
    before.task().gradient(work, units, gradient);
    Stream random(before.resolved.scenario->seed(), streams::objective_noise(0));
    std::vector<double> sum;
    for (std::size_t v = 0; v < model.size(); ++v) {
      sum.push_back(static_cast<double>(units.size()) * (gradient[v] + 0.05 * model[v]) + 3 * random.normal());
    }
    return length(sum);
  };
  EXPECT_NEAR(after.number("unlearning.r.certificate.residual"),
              residual(before.model(), {0, 1, 2, 3}) + residual(after.model(), {0, 1, 3}), 1e-2);
  EXPECT_NEAR(after.number("unlearning.r.certificate.budget"), 3 * 2000 / std::sqrt(2 * std::log(1.5 / 0.01)), 1e-9);
  EXPECT_LT(residual(after.model(), {0, 1, 3}), 0.2 * residual(before.model(), {0, 1, 3}));
}

TEST(CertifiedStep, within_its_budget_keeps_the_model_near_retraining) {
  for (const char* form : {"NEWTON", "INFLUENCE"}) {
    const Finished run(
        run_of(400, certified, convex_training("20"),
               std::string("samples { share: 0.02 } certified_step { form: ") + form + " } reference {}"));
    EXPECT_EQ(run.number("unlearning.r.certificate.retrained"), 0.0) << form;
    EXPECT_LT(run.number("unlearning.r.relative_distance"), 0.2) << form;
  }
}

TEST(CertifiedStep, beyond_its_budget_trains_anew_with_other_noise) {
  const Finished run(run_of(5, certified, convex_training("0.1"), "clients { ids: 2 } certified_step {} reference {}"));
  EXPECT_EQ(run.number("unlearning.r.certificate.retrained"), 1.0);
  EXPECT_EQ(run.events("budget spent"), 1U);
  EXPECT_EQ(run.events("not certified"), 1U);  // five steps are not near any minimum
  EXPECT_EQ(run.federation().noise().training(), 1U);
  EXPECT_EQ(run.number("unlearning.r.relative_distance"), 0.0);
}

/// A stream that spends its budget step by step; the account survives a break, on other ranks.
TEST(CertifiedStep, adds_up_over_requests_and_after_a_break) {
  const std::string text =
      "rounds: 60 task { data { baskets { train_samples: 240 test_samples: 60 classes: 4 features: 20 overlap: 0.9 } } "
      "model "
      "{ logreg {} } training { local_epochs: 5 " +
      convex_training("1") +
      " } } participants { clients: 4 everyone: true } unlearning { requests { name: \"s\" round: 50 "
      "every: 2 samples { share: 0.01 } certified_step { epsilon: 28.5 } } }";
  const Simulated one = simulate(text);
  double last = 0.0;
  std::size_t retrained = 0;
  for (const RoundRecord& record : one.records) {
    const std::optional<double> spent = record.metric("unlearning.s.certificate.residual");
    if (!spent) continue;
    EXPECT_GT(*spent, retrained > 0 ? 0.0 : last);
    last = *spent;
    retrained += *record.metric("unlearning.s.certificate.retrained") > 0.0 ? 1U : 0U;
  }
  EXPECT_GE(retrained, 1U);
  EXPECT_LT(retrained, 6U);
  for (const std::uint32_t round : {51U, 55U}) EXPECT_EQ(one.state, simulate(text, 2, round).state) << round;
}

TEST(CertifiedStep, and_its_noise_are_refused_where_they_hide_nothing) {
  const auto told = [](const std::string& model, const std::string& training, const std::string& more = "") {
    return refusal_of(run_of(2, model, training, "clients { ids: 2 } certified_step {} " + more));
  };
  EXPECT_THAT(told("mlp { hidden: 4 }", convex_training("1")),
              HasSubstr("task.training.objective_noise: hides residuals of convex objectives"));
  EXPECT_THAT(told("logreg {}", "objective_noise: 1"),
              HasSubstr("needs a strongly convex objective: set the weight_decay"));
  EXPECT_THAT(told("logreg {}", ""),
              HasSubstr("unlearning.requests[0].certified_step: hides what it leaves in the noise of the objective"));
  EXPECT_THAT(told("logreg {}", convex_training("1"),
                   "} requests { name: \"b\" clients { ids: 1 } certified_step { epsilon: 3 }"),
              HasSubstr("keeps one account for all requests"));
}

/// FedEraser over two rounds, written down again by local trainings.
class TwoRounds {
 public:
  TwoRounds()
      : plain_(run_of(2, "mlp { hidden: 5 }", training(), "")), start_(initial_parameters(plain_.federation(), 0)) {
    std::vector<float> all = start_;
    for (std::uint32_t client = 0; client < 4; ++client) first_.push_back(trained(start_, client, 1));
    for (std::uint32_t client = 0; client < 4; ++client) add(share(client, {0, 1, 2, 3}), first_[client], all);
    for (std::uint32_t client = 0; client < 4; ++client) second_.push_back(trained(all, client, 2));
  }
  static std::string training() { return "batch_size: 16 learning_rate: 0.1"; }
  static constexpr std::array<std::uint32_t, 3> others{0, 1, 3};
  std::vector<float> after_first() const {
    std::vector<float> model = start_;
    for (const std::uint32_t client : others) add(share(client, {0, 1, 3}), first_[client], model);
    return model;
  }
  std::vector<float> paper() const {
    std::vector<float> model = after_first();
    const std::vector<float> from = model;
    for (const std::uint32_t client : others) {
      const std::vector<float> turned = trained(from, client, 2);
      const std::vector<double> u(second_[client].begin(), second_[client].end()), v(turned.begin(), turned.end());
      add(share(client, {0, 1, 3}) * length(u) / length(v), turned, model);
    }
    return model;
  }
  /// Averages first, by tensors, with the length that the authors' code has.
  std::vector<float> code() const {
    std::vector<float> model = start_, direction(start_.size(), 0.0F), kept(start_.size(), 0.0F),
                       change(start_.size(), 0.0F);
    for (const std::uint32_t client : others) add(1.0 / 3, first_[client], model);
    for (const std::uint32_t client : others) add(1.0 / 3, trained(model, client, 2), direction);
    for (const std::uint32_t client : others) add(1.0 / 3, second_[client], kept);
    for (std::uint32_t client = 0; client < 4; ++client) add(share(client, {0, 1, 2, 3}), second_[client], change);
    for (const Slot& slot : plain_.task().layout().slots()) {
      const auto of = [&](const std::vector<double>& v) {
        return length(std::span(v).subspan(slot.offset, slot.size));
      };
      const double norm = of({direction.begin(), direction.end()});
      const double step = of(difference(kept, change));
      for (std::size_t v = slot.offset; v < slot.offset + slot.size; ++v)
        model[v] += static_cast<float>(step / norm * direction[v]);
    }
    return model;
  }
  std::vector<float> uncalibrated() const {
    std::vector<float> model = after_first();
    for (const std::uint32_t client : others) add(share(client, {0, 1, 3}), second_[client], model);
    return model;
  }
  std::vector<float> model(const std::string& form) const {
    return Finished(run_of(2, "mlp { hidden: 5 }", training(),
                           "clients { ids: 2 } fed_eraser { every: 1 calibration_ratio: 1 form: " + form + " }"))
        .model();
  }
  double distance(const std::vector<float>& a, const std::vector<float>& b) const {
    return length(difference(a, b)) / length(difference(b, start_));
  }

 private:
  std::vector<float> trained(const std::vector<float>& from, std::uint32_t client, std::uint32_t round) const {
    std::vector<float> update(from.size());
    const LocalContext context{
        .seed = plain_.resolved.scenario->seed(), .agent = {client}, .round = {round}, .rounds = 3};
    plain_.task().train(from, plain_.units_of(client), {}, context, update);
    return update;
  }
  double share(std::uint32_t client, const std::vector<std::uint32_t>& of) const {
    double all = 0.0;
    for (const std::uint32_t other : of) all += static_cast<double>(plain_.units_of(other).size());
    return static_cast<double>(plain_.units_of(client).size()) / all;
  }
  static void add(double weight, const std::vector<float>& update, std::vector<float>& model) {
    for (std::size_t v = 0; v < model.size(); ++v) model[v] += static_cast<float>(weight * update[v]);
  }
  Finished plain_;
  std::vector<float> start_;
  std::vector<std::vector<float>> first_, second_;  ///< [clients] updates
};

TEST(FedEraser, of_two_rounds_is_what_its_formula_says) {
  const TwoRounds rounds;
  EXPECT_LT(rounds.distance(rounds.model("PAPER"), rounds.paper()), 1e-4);
  EXPECT_LT(rounds.distance(rounds.model("CODE"), rounds.code()), 1e-4);
  EXPECT_LT(rounds.distance(rounds.model("UNCALIBRATED"), rounds.uncalibrated()), 1e-4);
}

}  // namespace
}  // namespace souk::unlearning_operators_test
