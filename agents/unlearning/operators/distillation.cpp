#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "agents/unlearning/kept_shares.hpp"
#include "agents/unlearning/retraining.hpp"
#include "agents/unlearning/teacher_divergence.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {
namespace {

/// Takes the kept updates of the forgotten out, and repairs the model by the answers that it gave before. Wu et al.,
/// "Federated Unlearning with Knowledge Distillation", 2022; whose data the server distils on are its root data here.
class Distil final : public UnlearningOperator {
 public:
  explicit Distil(const scenario::Distillation& config) : config_(config) {}

  Forgettable forgets() const override { return {.units = false, .graph = false}; }
  HistoryNeeds needs() const override { return {.updates_every = 1}; }

  void check(const World& world) const override {
    require_plain_steps(world);
    const Task& task = world.federation.task();
    SOUK_REQUIRE(world.federation.task().rows() != nullptr && task.classes() > 0,
                 "distils answers about classes of rows, and the data set has others");
    for (std::size_t i = 0; i < world.owners.size(); ++i) {
      SOUK_REQUIRE(!world.federation.root(i).empty(),
                   "distils on root data, and there are none: set root {{ always: true }}");
    }
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    ForgettingCost cost;
    for (ModelServer* server : request.servers) {
      const std::vector<float> before(server->parameters().begin(), server->parameters().end());
      std::vector<float> model =
          taken_out(request, *server, share_of_forgotten(kept_steps(request, *server)), 1.0, 0.0);
      // The server's own work: every rank does it, and nothing has to be sent.
      request.comm().run_phase("distil", [&] { distil(request, *server, before, model, cost); });
      server->take_model(model);
    }
    return cost;
  }

 private:
  void distil(const ForgettingCase& request, const ModelServer& server, std::span<const float> before,
              std::vector<float>& model, ForgettingCost& cost) const {
    const Federation& federation = request.federation();
    RowTask& rows = *federation.task().rows();
    const auto root = federation.root(server.index()).samples();
    const std::size_t width = rows.network().shape().outputs(), features = federation.train().features();
    std::vector<float> table(root.size() * features), logits(root.size() * width);
    federation.train().copy_features(root, table);
    rows.network().outputs(before, {.features = table, .samples = root.size()}, logits);
    const auto divergence = std::make_shared<TeacherDivergence>(width, config_.temperature());
    divergence->teach(std::move(logits));
    const auto student = make_network(request.scenario().task().model(), model_shape(federation.train()),
                                      request.world.device, divergence);
    const std::size_t batch = std::max<std::size_t>(request.scenario().task().training().batch_size(), 1);
    std::vector<float> gradient(server.trainable().size()), some(batch * features);
    std::vector<std::uint32_t> order(root.size());
    for (std::uint32_t pass = 0; pass < config_.passes(); ++pass) {
      std::iota(order.begin(), order.end(), 0U);
      Stream(request.scenario().seed(), streams::distillation(server.index(), request.round, pass)).shuffle(order);
      for (std::size_t first = 0; first < order.size(); first += batch) {
        const auto which = std::span(order).subspan(first, std::min(batch, order.size() - first));
        std::vector<std::int32_t> targets;
        for (std::size_t i = 0; i < which.size(); ++i) {
          std::copy_n(&table[which[i] * features], features, &some[i * features]);
          targets.push_back(static_cast<std::int32_t>(which[i]));
        }
        student->gradient(
            model,
            {.features = std::span(some).first(which.size() * features), .labels = targets, .samples = which.size()},
            gradient);
        for (std::size_t v = 0; v < gradient.size(); ++v) {
          model[v] -= static_cast<float>(config_.learning_rate()) * gradient[v];
        }
        heartbeat::beat();
      }
    }
    cost += training_cost(federation, root.size(), config_.passes());
  }

  const scenario::Distillation& config_;
};

const Register<UnlearningOperator, Distil, scenario::Distillation> register_distil;

}  // namespace
}  // namespace souk
