#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

double squared_gap(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t v = 0; v < a.size(); ++v) {
    const double d = static_cast<double>(a[v]) - static_cast<double>(b[v]);
    sum += d * d;
  }
  return sum;
}

/// The client that leaves climbs its own loss from the average of the others, and is kept in a ball around it. Halimi
/// et al., 2022, Algorithm 1, with the squared distances of the authors' code:
///   w_ref = (N w - w_i) / (N - 1),  tau = mean over random models |w_ref - w_rand|^2 / 3.
class ProjectedAscent final : public UnlearningOperator {
 public:
  explicit ProjectedAscent(const scenario::ProjectedAscent& config) : config_(config) {}

  Forgettable forgets() const override { return {.units = false, .graph = false}; }
  HistoryNeeds needs() const override { return {.last_models = true}; }

  void check(const World& world) const override {
    SOUK_REQUIRE(world.federation.data().graph.nodes() == 0,
                 "trains on a client's samples as they were, and clients who leave take their nodes out of the graph");
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    SOUK_REQUIRE(request.holders.size() == 1,
                 "projected_ascent: is carried out by the client that leaves, and {} leave in round {}",
                 request.holders.size(), request.round.value);
    ForgettingCost cost;
    for (ModelServer* server : request.servers) {
      const LocalModel* last = request.history.of(server->index()).last_model(request.holders[0].client);
      if (last == nullptr) {
        record.events.push_back({"projected_ascent", -1, "the client has never sent what could be used"});
        continue;
      }
      std::vector<float> local(server->trainable().size()), model;
      replicate(request.comm(), PanelPlan(local.size()), last->model, local);
      // One client's work: every rank does it, and nothing has to be sent.
      request.comm().run_phase("projected ascent", [&] { model = climb(request, *server, local, record, cost); });
      server->take_model(model);
    }
    return cost;
  }

 private:
  std::vector<float> climb(const ForgettingCase& request, ModelServer& server, std::span<const float> local,
                           RoundRecord& record, ForgettingCost& cost) const {
    Task& task = request.federation().task();
    const std::size_t trainable = server.trainable().size();
    const std::vector<float> reference = average_of_others(request, server, local);
    const double tau = squared_radius(request, reference);
    std::vector<float> model = reference, work(model.size()), gradient(trainable);
    std::vector<double> velocity(trainable, 0.0);
    const std::vector<SampleIndex>& mine = request.holders[0].units;
    const BatchEdit edit = edit_of_holder(server, request.holders[0]);
    std::size_t steps = 0;
    bool done = false;
    for (std::uint32_t pass = 0; pass < config_.passes() && !done; ++pass) {
      std::vector<SampleIndex> order = mine;
      Stream(request.scenario().seed() ^ 0x9e3779b97f4a7c15ULL,
             streams::batch_order(request.holders[0].client, request.round, pass))
          .shuffle(order);
      for (std::size_t first = 0; first < order.size() && !done; first += config_.batch_size()) {
        const UnitSet batch =
            std::span(order).subspan(first, std::min<std::size_t>(config_.batch_size(), order.size() - first));
        std::ranges::copy(model, work.begin());
        task.gradient(work, batch, gradient, edit);
        step_up(gradient, velocity, model);
        project(reference, tau, model);
        cost += training_cost(request.federation(), batch.size(), 1.0);
        ++steps;
        heartbeat::beat();
        done = config_.enough() > 0.0 &&
               squared_gap(std::span<const float>(model).first(trainable), local) > config_.enough();
      }
    }
    cost.megabytes += 2.0 * static_cast<double>(model.size() * sizeof(float)) / 1e6;
    cost.messages += 2;
    record.events.push_back(
        {"projected_ascent", -1, fmt::format("{} steps in a ball of radius {:.4g}", steps, std::sqrt(tau))});
    return model;
  }

  /// Of all clients' models, which the global one is taken for the average of; buffers as they are.
  static std::vector<float> average_of_others(const ForgettingCase& request, const ModelServer& server,
                                              std::span<const float> local) {
    std::vector<float> reference(server.parameters().begin(), server.parameters().end());
    const auto n = static_cast<double>(request.federation().selector().wanted());
    if (n < 2.0) return reference;
    for (std::size_t v = 0; v < local.size(); ++v) {
      reference[v] =
          static_cast<float>((n * static_cast<double>(reference[v]) - static_cast<double>(local[v])) / (n - 1.0));
    }
    return reference;
  }

  double squared_radius(const ForgettingCase& request, std::span<const float> reference) const {
    std::vector<float> fresh(reference.size());
    const std::size_t trainable = request.federation().task().layout().trainable();
    double sum = 0.0;
    for (std::uint32_t k = 0; k < config_.random_models(); ++k) {
      Stream random(request.scenario().seed(), streams::random_model(k, request.round));
      request.federation().task().initialise(random, fresh);
      sum += squared_gap(reference.first(trainable), std::span<const float>(fresh).first(trainable));
    }
    return sum / config_.random_models() / 3.0;
  }

  void step_up(std::span<const float> gradient, std::vector<double>& velocity, std::span<float> model) const {
    double squares = 0.0;
    for (const float g : gradient) squares += static_cast<double>(g) * static_cast<double>(g);
    const double length = std::sqrt(squares);
    const double shorten = config_.clip() > 0.0 && length > config_.clip() ? config_.clip() / length : 1.0;
    for (std::size_t v = 0; v < velocity.size(); ++v) {
      velocity[v] = config_.momentum() * velocity[v] + shorten * static_cast<double>(gradient[v]);
      model[v] += static_cast<float>(config_.learning_rate() * velocity[v]);
    }
  }

  static void project(std::span<const float> reference, double tau, std::span<float> model) {
    const double squares = squared_gap(model, reference);
    if (squares <= tau) return;
    const double factor = std::sqrt(tau / squares);
    for (std::size_t v = 0; v < model.size(); ++v) {
      const auto center = static_cast<double>(reference[v]);
      model[v] = static_cast<float>(center + factor * (static_cast<double>(model[v]) - center));
    }
  }

  const scenario::ProjectedAscent& config_;
};

const Register<UnlearningOperator, ProjectedAscent, scenario::ProjectedAscent> register_projected_ascent;

}  // namespace
}  // namespace souk
