#include "agents/unlearning/answer_map_operator.hpp"

#include "agents/unlearning/affected.hpp"
#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/retraining.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Two passes of answers about `units` units, and the matrix and its gradient for each client that stays and step.
ForgettingCost cost_of_map(const ForgettingCase& request, std::size_t units, std::size_t steps) {
  ForgettingCost cost = training_cost(request.federation(), units, 2.0 / 3.0);
  const auto clients = static_cast<double>(units_that_stay(request.federation()).size());
  const auto classes = static_cast<double>(request.federation().task().classes());
  cost.megabytes = 2.0 * clients * static_cast<double>(steps) * classes * classes * sizeof(float) / 1e6;
  cost.messages = steps;
  return cost;
}

}  // namespace

void AnswerMapOperator::check(const World& world) const {
  SOUK_REQUIRE(world.federation.task().nodes() != nullptr,
               "maps answers about nodes, and the samples of the data set are rows");
}

ForgettingCost AnswerMapOperator::forget(const ForgettingCase& request, RoundRecord& record) {
  const NearNodes near = near_nodes(request);
  const TaskBefore before(request);
  ForgettingCost cost;
  for (ModelServer* server : request.servers) {
    if (near.stay.empty()) {
      record.events.push_back({name(), -1, "no training node within reach: the answers are what they were"});
      continue;
    }
    const NodeAnswers then(*server, before.task()), now(*server, request.federation().task());
    server->map_answers(
        {.weights = learned({.request = request, .near = near, .then = then, .now = now}), .nodes = near.within});
    cost += cost_of_map(request, near.touched.size() + near.stay.size(), steps());
  }
  return cost;
}

void add_slope(std::span<const double> slope, std::span<const float> logits, std::span<double> gradient) {
  const std::size_t classes = slope.size();
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t k = 0; k < classes; ++k) gradient[c * classes + k] += slope[c] * static_cast<double>(logits[k]);
  }
}

}  // namespace souk
