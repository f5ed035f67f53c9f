#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "agents/unlearning/kept_shares.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/softmax.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {
namespace {

/// Divergence of a network's answers from a teacher's, both at one temperature. "Classes" of the targets are rows of
/// the teacher's answers.
class TeacherDivergence final : public Objective {
 public:
  /// `logits` [rows, width]: the teacher's.
  TeacherDivergence(std::vector<float> logits, std::size_t width, double temperature)
      : answers_(std::move(logits)), temperature_(static_cast<float>(temperature)) {
    for (std::size_t first = 0; first < answers_.size(); first += width)
      soften(std::span(answers_).subspan(first, width));
  }
  bool of_classes() const override { return true; }

  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override {
    std::vector<float> own(width);
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::ranges::copy(outputs.subspan(i * width, width), own.begin());
      out[i] = read(own, teacher(targets, i, width));
    }
  }

  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override {
    double sum = 0.0;
    for (std::size_t i = 0; i < targets.classes.size(); ++i) {
      const auto own = outputs.subspan(i * width, width);
      const auto wanted = teacher(targets, i, width);
      sum += read(own, wanted);
      // Hinton et al. multiply by T^2, which keeps the gradient's size.
      for (std::size_t c = 0; c < width; ++c) {
        own[c] = temperature_ * (own[c] - wanted[c]) / static_cast<float>(total);
      }
    }
    return sum;
  }

  void curvature(std::span<const float>, std::size_t, const Targets&, std::size_t, std::span<float>) const override {
    SOUK_EXPECT(false);  // distillation takes plain steps
  }

 private:
  void soften(std::span<float> logits) const {
    for (float& logit : logits) logit /= temperature_;
    softmax(logits);
  }
  std::span<const float> teacher(const Targets& targets, std::size_t sample, std::size_t width) const {
    return std::span(answers_).subspan(static_cast<std::size_t>(targets.classes[sample]) * width, width);
  }
  /// Logits become probabilities; T^2 times the divergence from the teacher's.
  double read(std::span<float> own, std::span<const float> wanted) const {
    soften(own);
    double sum = 0.0;
    for (std::size_t c = 0; c < own.size(); ++c) {
      const auto p = static_cast<double>(wanted[c]);
      if (p > 0.0) sum += p * std::log(p / std::max(static_cast<double>(own[c]), 1e-30));
    }
    return static_cast<double>(temperature_) * static_cast<double>(temperature_) * sum;
  }

  std::vector<float> answers_;  ///< [rows, width] probabilities
  float temperature_;
};

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
      std::vector<float> model = before;
      const std::vector<double> share = kept_share(request, *server);
      for (std::size_t v = 0; v < share.size(); ++v) model[v] -= static_cast<float>(share[v]);
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
    const auto student =
        make_network(request.scenario().task().model(), model_shape(federation.train()), request.world.device,
                     std::make_shared<TeacherDivergence>(std::move(logits), width, config_.temperature()));
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

const Register<UnlearningOperator, Distil, scenario::Distillation> registered;

}  // namespace
}  // namespace souk
