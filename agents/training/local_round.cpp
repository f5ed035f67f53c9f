#include "agents/training/local_round.hpp"

#include <algorithm>
#include <cmath>

#include "agents/training/placement.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/learn/schedule.hpp"

namespace souk {

LocalRound::LocalRound(const Comm& comm, const Federation& federation)
    : comm_(comm), federation_(federation), trainable_(federation.task().layout().trainable()) {}

void LocalRound::assign(std::span<const AgentId> clients, const std::optional<OwnTraining>& own) {
  std::vector<double> costs;
  for (const AgentId client : clients) costs.push_back(federation_.work_of(client).flops);
  if (own) {
    costs.push_back(3.0 * federation_.task().forward_flops() *
                    static_cast<double>(federation_.samples_trained(own->samples.size())));
  }
  std::vector<int> owners = place_longest_first(costs, comm_.size());
  own_ = own;
  if (own) {
    own_row_.reset(comm_, std::vector<AgentId>{{0}}, std::vector<int>{owners.back()}, federation_.parameters());
    owners.pop_back();
  }
  rows_.reset(comm_, clients, owners, federation_.parameters());
  trained_.clear();
}

void LocalRound::train_own(RoundIndex round, std::span<const float> global) {
  const scenario::Scenario& scenario = federation_.scenario();
  const std::span<float> update = own_row_.row(0);
  if (own_->mechanism != nullptr) {
    std::ranges::fill(update, 0.0F);
    const double rate = scheduled_learning_rate(scenario.task().training(), round, scenario.rounds());
    own_->mechanism->make(global, own_->samples, rate, own_->id, round, update.first(trainable_));
    return;
  }
  LocalContext context{scenario.seed(), own_->id, round, scenario.rounds(), &heartbeat::beat};
  context.slope = federation_.noise().slope();
  context.unprotected = true;  // the owner's own data: root.private is what would hide them
  federation_.task().train(global, own_->samples, {}, context, update);
}

void LocalRound::train(RoundIndex round, std::span<const float> global, const OtherModel& other,
                       const Attackers& attackers, Poisoner& poisoner, Rewirer& rewirer) {
  if (own_ && own_row_.is_local(0)) train_own(round, global);
  for (std::size_t i = 0; i < rows_.rows(); ++i) {
    if (!rows_.is_local(i)) continue;
    const bool misled = std::ranges::binary_search(other.clients, rows_.agents()[i]);
    train_client(round, i, misled ? std::span<const float>(other.parameters) : global, attackers, poisoner, rewirer);
  }
}

void LocalRound::train_client(RoundIndex round, std::size_t row, std::span<const float> global,
                              const Attackers& attackers, Poisoner& poisoner, Rewirer& rewirer) {
  const AgentId client = rows_.agents()[row];
  const scenario::Scenario& scenario = federation_.scenario();
  LocalContext context{scenario.seed(), client, round, scenario.rounds(), &heartbeat::beat};
  context.slope = federation_.noise().slope();
  const std::vector<SampleIndex> mine = federation_.validators().training_samples(client);
  BatchEdit edit;
  if (attackers.poisons_training(client, round)) {
    edit = poisoner.edit(client, round, mine);
    context.more_edges = rewirer.edges(client, round, mine, global);
  }
  const LocalResult result = federation_.task().train(global, mine, edit, context, rows_.row(row));
  trained_.push_back({row, result.samples, result.loss});
}

void LocalRound::for_each_update(const std::function<void(AgentId, std::span<float>)>& change) {
  for (std::size_t i = 0; i < rows_.rows(); ++i) {
    if (rows_.is_local(i)) change(rows_.agents()[i], rows_.row(i).first(trainable_));
  }
}

Footprint LocalRound::footprint(std::size_t updates, bool trains_own, int ranks) const {
  const double model = static_cast<double>(federation_.parameters() * sizeof(float));
  const std::size_t others = federation_.parameters() - trainable_;
  const auto columns = static_cast<double>(
      (widest_part(PanelPlan(trainable_), ranks) + widest_part(PanelPlan(others), ranks)) * sizeof(float));
  const auto n = static_cast<double>(updates);
  Footprint footprint;
  // The local model, its gradient and momentum; the row of the owner and its columns.
  footprint.held = (3.0 + (trains_own ? 2.0 : 0.0)) * model;
  footprint.held += std::ceil(n / static_cast<double>(ranks)) * model;
  if (ranks > 1) footprint.held += n * columns;  // one rank views its rows
  footprint.held +=
      static_cast<double>(federation_.largest_batch() * federation_.train().shape().row_values() * sizeof(float));
  const double held = static_cast<double>(federation_.dealt().deal.samples.size()) /
                      static_cast<double>(federation_.population().clients());
  footprint.flops = n * 3.0 * federation_.task().forward_flops() *
                    static_cast<double>(federation_.samples_trained(static_cast<std::size_t>(held)));
  return footprint;
}

void LocalRound::gather() {
  std::vector<std::size_t> counts(static_cast<std::size_t>(comm_.size()));
  for (const int owner : rows_.owners()) ++counts[static_cast<std::size_t>(owner)];
  const std::vector<TrainedRow> local = std::move(trained_);
  trained_.assign(rows_.rows(), {});
  comm_.all_gather_into(std::span<const TrainedRow>(local), counts, std::span(trained_));
  std::ranges::sort(trained_, {}, &TrainedRow::row);
  to_columns(comm_, rows_, {0, trainable_}, updates_);
  if (has_buffers()) to_columns(comm_, rows_, {trainable_, federation_.parameters()}, buffers_);
  own_update_.reset();
  if (!own_) return;
  ColumnMatrix own;
  to_columns(comm_, own_row_, {0, trainable_}, own);
  own_update_ = copy_of_row(own, 0);
}

}  // namespace souk
