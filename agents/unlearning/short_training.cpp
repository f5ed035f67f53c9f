#include "agents/unlearning/short_training.hpp"

#include "agents/training/placement.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/heartbeat.hpp"

namespace souk {

const ColumnMatrix& ClientsAtWork::train(std::span<const AgentId> clients, std::span<const float> model,
                                         const ShortTraining& how) {
  const scenario::Scenario& scenario = federation_.scenario();
  const double usual = scenario.task().training().local_epochs();
  const double share = how.passes == 0 ? 1.0 : how.passes / usual;
  std::vector<double> costs;
  for (const AgentId client : clients) {
    const std::size_t held = federation_.validators().training_count(client);
    const ForgettingCost cost = training_cost(federation_, federation_.samples_trained(held), share);
    costs.push_back(cost.flops);
    cost_ += cost;
  }
  const std::vector<int> owners = place_longest_first(costs, comm_.size());
  rows_.reset(comm_, clients, owners, federation_.parameters());
  comm_.run_phase("train", [&] {
    const Steering steering{.epochs = how.passes};
    for (std::size_t k = 0; k < clients.size(); ++k) {
      if (!rows_.is_local(k)) continue;
      const LocalContext context{.seed = how.seed,
                                 .agent = clients[k],
                                 .round = how.round,
                                 .rounds = scenario.rounds(),
                                 .after_step = &heartbeat::beat,
                                 .steering = how.passes == 0 ? nullptr : &steering,
                                 .slope = federation_.noise().slope()};
      federation_.task().train(model, federation_.validators().training_samples(clients[k]), {}, context, rows_.row(k));
    }
  });
  const std::size_t trainable = federation_.task().layout().trainable();
  to_columns(comm_, rows_, {0, trainable}, updates_);
  cost_.megabytes += 2.0 * static_cast<double>(clients.size() * federation_.parameters() * sizeof(float)) / 1e6;
  cost_.messages += 2;
  return updates_;
}

}  // namespace souk
