#include "agents/unlearning/looks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/edge_looks.hpp"
#include "agents/unlearning/mean_objective.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/learn/softmax.hpp"
#include "sim/stats/ranking.hpp"

namespace souk {
namespace {

std::size_t outputs_of(const Task& task) { return task.classes() > 0 ? static_cast<std::size_t>(task.classes()) : 1; }

/// How good a model is on training units. Collective.
Scores scores_on(ModelServer& server, std::span<const float> model, UnitSet units) {
  const Federation& federation = server.federation();
  Evaluator evaluator(federation.task(), Split::train, {units.begin(), units.end()},
                      federation.scenario().evaluation().batch_size());
  server.comm().run_phase("look", [&] { evaluator.test_own_batches(server.comm(), model); });
  return evaluator.gather(server.comm()).scores;
}

/// Cross-entropy of each unit; `probabilities` [units, classes].
std::vector<double> losses_of(std::span<const float> probabilities, std::size_t classes,
                              std::span<const std::int32_t> labels, UnitSet units) {
  std::vector<double> losses;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const float p = probabilities[i * classes + static_cast<std::size_t>(labels[units[i]])];
    losses.push_back(-std::log(std::max(static_cast<double>(p), 1e-30)));
  }
  return losses;
}

void to_probabilities(std::vector<float>& logits, std::size_t classes) {
  for (std::size_t first = 0; first < logits.size(); first += classes) {
    softmax(std::span(logits).subspan(first, classes));
  }
}

/// Of the objective on what stays.
double gradient_length(ModelServer& server, std::span<const float> model) {
  const std::vector<DealtUnits> stay = units_that_stay(server.federation());
  if (stay.empty()) return 0.0;
  MeanObjective objective(server, server.federation().task(), stay, model);
  double squares = 0.0;
  for (const double g : objective.gradient()) squares += g * g;
  return std::sqrt(squares);
}

std::optional<double> auc_of(std::vector<double> scores, std::size_t members) {
  std::vector<std::uint8_t> truth(scores.size(), 0);
  std::fill_n(truth.begin(), members, 1);
  return area_under_roc(scores, truth);
}

}  // namespace

/// Batches of a fixed size, each rank a run of them.
std::vector<float> answers_to(const Comm& comm, Task& task, std::span<const float> model, Split split, UnitSet units,
                              std::size_t batch) {
  const std::size_t batches = (units.size() + batch - 1) / batch, outputs = outputs_of(task);
  const auto ranks = static_cast<std::size_t>(comm.size()), rank = static_cast<std::size_t>(comm.rank());
  const auto first_of = [&](std::size_t r) { return std::min(batches * r / ranks * batch, units.size()); };
  std::vector<std::size_t> counts;
  for (std::size_t r = 0; r < ranks; ++r) counts.push_back((first_of(r + 1) - first_of(r)) * outputs);
  std::vector<float> own, all(units.size() * outputs);
  comm.run_phase("look", [&] {
    std::vector<double> sums(task.tally_size());
    for (std::size_t first = first_of(rank); first < first_of(rank + 1); first += batch) {
      task.tally(model, split, units.subspan(first, std::min(batch, units.size() - first)), sums);
      own.insert(own.end(), task.outputs().begin(), task.outputs().end());
      heartbeat::beat();
    }
  });
  comm.all_gather_into(std::span<const float>(own), counts, std::span(all));
  return all;
}

Look look_at(ModelServer& server, std::span<const float> model, std::span<const DealtUnits> forgotten, bool edges) {
  const Comm& comm = server.comm();
  const Federation& federation = server.federation();
  Task& task = federation.task();
  const std::size_t batch = federation.scenario().evaluation().batch_size();
  const auto classes = static_cast<std::size_t>(task.classes());
  const std::optional<InjectedFault> no_fault;
  Phases phases(comm, {}, no_fault);
  Look look{.test = server.look_at(model, phases)};
  const std::vector<SampleIndex> tested = all_units(task, Split::test);
  look.answers = answers_to(comm, task, model, Split::test, tested, batch);
  if (classes > 0) {
    to_probabilities(look.answers, classes);
    look.losses_of_others = losses_of(look.answers, classes, task.labels(Split::test), tested);
  }
  if (!forgotten.empty()) {
    const std::vector<SampleIndex> units = units_of(forgotten);
    look.forgotten = scores_on(server, model, units);
    look.loss_as_trained = ClientSums(server, forgotten).mean_loss(task, model);
    if (classes > 0) {
      std::vector<float> answers = answers_to(comm, task, model, Split::train, units, batch);
      to_probabilities(answers, classes);
      look.losses_of_units = losses_of(answers, classes, task.labels(), units);
    }
  }
  look.parameters.assign(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(task.layout().trainable()));
  if (edges) comm.run_phase("look", [&] { look.posteriors = posteriors_of(federation, model); });
  look.residual = gradient_length(server, model);
  return look;
}

Agreement agreement_of(const Look& a, const Look& b, std::size_t outputs, bool classes) {
  const std::size_t units = a.answers.size() / outputs;
  std::size_t same = 0;
  double sum = 0.0;
  for (std::size_t i = 0; i < units; ++i) {
    const auto p = std::span(a.answers).subspan(i * outputs, outputs),
               q = std::span(b.answers).subspan(i * outputs, outputs);
    same += std::ranges::max_element(p) - p.begin() == std::ranges::max_element(q) - q.begin() ? 1U : 0U;
    for (std::size_t c = 0; c < outputs; ++c) {
      const auto x = static_cast<double>(p[c]), y = static_cast<double>(q[c]), middle = 0.5 * (x + y);
      if (!classes) {
        sum += (x - y) * (x - y);
        continue;
      }
      if (x > 0.0) sum += 0.5 * x * std::log(x / middle);
      if (y > 0.0) sum += 0.5 * y * std::log(y / middle);
    }
  }
  const auto n = static_cast<double>(units);
  if (!classes) return {std::numeric_limits<double>::quiet_NaN(), std::sqrt(sum / n)};
  return {static_cast<double>(same) / n, sum / n};
}

std::optional<double> membership_auc(const Look& look) {
  if (look.losses_of_units.empty() || look.losses_of_others.empty()) return std::nullopt;
  std::vector<double> scores;
  for (const double loss : look.losses_of_units) scores.push_back(-loss);
  for (const double loss : look.losses_of_others) scores.push_back(-loss);
  return auc_of(std::move(scores), look.losses_of_units.size());
}

namespace {

/// The logit of the probability p of a unit's class, from its loss; of single-precision answers, so that 1 - p is at
/// least what they can tell from 0.
double logit_of(double loss) {
  constexpr double least = 0x1p-24;
  return -loss - std::log(std::max(-std::expm1(-loss), least));
}

void add_above_the_others(std::span<const double> losses, std::span<const Look> without, std::vector<double> Look::*of,
                          std::vector<double>& scores) {
  for (std::size_t u = 0; u < losses.size(); ++u) {
    double mean = 0.0;
    for (const Look& other : without) mean += logit_of((other.*of)[u]) / static_cast<double>(without.size());
    scores.push_back(logit_of(losses[u]) - mean);
  }
}

}  // namespace

std::optional<double> calibrated_membership_auc(const Look& look, std::span<const Look> without) {
  if (look.losses_of_units.empty() || look.losses_of_others.empty() || without.empty()) return std::nullopt;
  std::vector<double> scores;
  add_above_the_others(look.losses_of_units, without, &Look::losses_of_units, scores);
  add_above_the_others(look.losses_of_others, without, &Look::losses_of_others, scores);
  return auc_of(std::move(scores), look.losses_of_units.size());
}

std::optional<double> difference_auc(const Look& before, const Look& after) {
  if (before.losses_of_units.empty() || before.losses_of_others.empty()) return std::nullopt;
  std::vector<double> scores;
  std::ranges::transform(after.losses_of_units, before.losses_of_units, std::back_inserter(scores), std::minus<>());
  std::ranges::transform(after.losses_of_others, before.losses_of_others, std::back_inserter(scores), std::minus<>());
  return auc_of(std::move(scores), before.losses_of_units.size());
}

double distance_of(const Look& a, const Look& b) {
  double squares = 0.0;
  for (std::size_t v = 0; v < a.parameters.size(); ++v) {
    const double d = static_cast<double>(a.parameters[v]) - static_cast<double>(b.parameters[v]);
    squares += d * d;
  }
  return std::sqrt(squares);
}

}  // namespace souk
