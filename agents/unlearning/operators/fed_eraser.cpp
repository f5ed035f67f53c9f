#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "agents/training/saved_model.hpp"
#include "agents/unlearning/fresh_server.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/short_training.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Those of a kept round that stay.
struct Staying {
  std::vector<AgentId> clients;
  std::vector<std::size_t> rows;  ///< of the kept round
};

/// From the initial model through the kept rounds. In the first nobody knew the forgotten yet, and the kept updates of
/// those who stay are aggregated as they are; after it each of them calibrates by short training the direction of its
/// kept update, whose length stays. Liu et al., FedEraser, IWQoS 2021, section III; the authors' code differs (CODE).
class FedEraser final : public UnlearningOperator {
 public:
  explicit FedEraser(const scenario::FedEraser& config) : config_(config) {}

  Forgettable forgets() const override { return {.units = false, .graph = false}; }
  HistoryNeeds needs() const override { return {.updates_every = config_.every()}; }

  void check(const World& world) const override {
    FreshServer::check(world);
    SOUK_REQUIRE(!world.scenario.task().training().has_local_steps(),
                 "calibrates in a share of the local passes, and task.training.local_steps counts steps");
    SOUK_REQUIRE(config_.form() != scenario::FedEraser::CODE || world.owners.front().aggregator->has_mean(),
                 "form = CODE: averages the clients' models, and the aggregator is not mean");
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    ClientsAtWork work(request.comm(), request.federation());
    for (ModelServer* server : request.servers) {
      std::vector<float> model = initial_parameters(request.federation(), server->index());
      FreshServer fresh(*server);
      const auto rounds = request.history.of(server->index()).rounds();
      for (const KeptRound& kept : rounds) {
        const Staying staying = staying_in(kept, request.federation());
        if (!staying.clients.empty()) erase(request, kept, staying, *server, fresh, work, model);
      }
      record.events.push_back({"fed_eraser", -1, fmt::format("{} kept rounds gone through again", rounds.size())});
      server->take_model(model);
    }
    return work.cost();
  }

 private:
  void erase(const ForgettingCase& request, const KeptRound& kept, const Staying& staying, const ModelServer& server,
             FreshServer& fresh, ClientsAtWork& work, std::vector<float>& model) const {
    using Form = scenario::FedEraser;
    const ColumnMatrix old = kept_updates(request, kept, staying, server);
    if (kept.round.value == 1 && config_.form() == Form::CODE) {
      const std::vector<float> mean = mean_of(request.comm(), old);
      for (std::size_t v = 0; v < mean.size(); ++v) model[v] += mean[v];
      return;
    }
    if (kept.round.value == 1 || config_.form() == Form::UNCALIBRATED) {
      return fresh.apply(kept.round, staying.clients, old, model);
    }
    const scenario::Scenario& scenario = request.scenario();
    const double passes = config_.calibration_ratio() * scenario.task().training().local_epochs();
    const ColumnMatrix& trained = work.train(
        staying.clients, model,
        {.seed = scenario.seed(), .round = kept.round, .passes = static_cast<std::uint32_t>(std::ceil(passes - 1e-9))});
    if (config_.form() == Form::CODE) return step_of_code(request, kept, old, trained, model);
    fresh.apply(kept.round, staying.clients, turned(request.comm(), old, trained), model);
  }

  static Staying staying_in(const KeptRound& kept, const Federation& federation) {
    Staying staying;
    for (std::size_t k = 0; k < kept.clients.size(); ++k) {
      if (!federation.takes_part(kept.clients[k])) continue;
      staying.clients.push_back(kept.clients[k]);
      staying.rows.push_back(k);
    }
    return staying;
  }

  /// Kept updates of those who stay, [clients, trainable].
  static ColumnMatrix kept_updates(const ForgettingCase& request, const KeptRound& kept, const Staying& staying,
                                   const ModelServer& server) {
    ColumnMatrixBuilder builder(request.comm(), staying.rows.size(), server.trainable().size());
    for (std::size_t k = 0; k < staying.rows.size(); ++k) {
      std::ranges::copy(kept.updates[staying.rows[k]].values(), builder.row(k).begin());
    }
    return std::move(builder).finish();
  }

  /// Of the kept updates the lengths, of those trained the directions. Where short training goes nowhere there is no
  /// direction to turn in, and the update is 0.
  static ColumnMatrix turned(const Comm& comm, const ColumnMatrix& kept, const ColumnMatrix& trained) {
    const std::vector<double> lengths = squared_norms(comm, kept), squares = squared_norms(comm, trained);
    ColumnMatrixBuilder builder(comm, kept.rows(), kept.dimension());
    for (std::size_t k = 0; k < kept.rows(); ++k) {
      const double factor = squares[k] > 0.0 ? std::sqrt(lengths[k]) / std::sqrt(squares[k]) : 0.0;
      std::ranges::transform(trained.row(k), builder.row(k).begin(),
                             [&](float v) { return static_cast<float>(factor * static_cast<double>(v)); });
    }
    return std::move(builder).finish();
  }

  /// [trainable]
  static std::vector<float> mean_of(const Comm& comm, const ColumnMatrix& updates) {
    std::vector<float> mean(updates.dimension());
    const std::vector<double> equal(updates.rows(), 1.0 / static_cast<double>(updates.rows()));
    replicate(comm, updates.plan(), combine(updates, equal), mean);
    return mean;
  }

  /// Fed_Unlearn_base.py: the mean of the short trainings gives the direction of each tensor, and its length is that of
  /// the mean of the kept models of those who stay minus the global model after the round.
  static void step_of_code(const ForgettingCase& request, const KeptRound& kept, const ColumnMatrix& old,
                           const ColumnMatrix& trained, std::vector<float>& model) {
    const Comm& comm = request.comm();
    const std::size_t dimension = old.dimension();
    const std::vector<float> direction = mean_of(comm, trained), of_old = mean_of(comm, old);
    std::vector<float> change(dimension);
    replicate(comm, PanelPlan(dimension), kept.change, change);
    for (const Slot& slot : request.federation().task().layout().slots()) {
      if (!slot.trainable) continue;
      double length = 0.0, norm = 0.0;
      for (std::size_t v = slot.offset; v < slot.offset + slot.size; ++v) {
        const double apart = static_cast<double>(of_old[v]) - static_cast<double>(change[v]);
        length += apart * apart;
        norm += static_cast<double>(direction[v]) * static_cast<double>(direction[v]);
      }
      const double factor = norm > 0.0 ? std::sqrt(length / norm) : 0.0;
      for (std::size_t v = slot.offset; v < slot.offset + slot.size; ++v) {
        model[v] += static_cast<float>(factor * static_cast<double>(direction[v]));
      }
    }
  }

  const scenario::FedEraser& config_;
};

const Register<UnlearningOperator, FedEraser, scenario::FedEraser> register_fed_eraser;

}  // namespace
}  // namespace souk
