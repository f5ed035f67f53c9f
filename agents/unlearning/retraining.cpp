#include "agents/unlearning/retraining.hpp"

#include <limits>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"

namespace souk {

ForgettingCost training_cost(const Federation& federation, std::size_t units, double passes) {
  const double gradients = static_cast<double>(units) * passes;
  return {.flops = 3.0 * federation.task().forward_flops() * gradients, .gradients = gradients};
}

ForgettingCost& operator+=(ForgettingCost& cost, const ForgettingCost& more) {
  cost.flops += more.flops;
  cost.gradients += more.gradients;
  cost.megabytes += more.megabytes;
  cost.messages += more.messages;
  return cost;
}

Retraining::Retraining(const World& world, std::optional<std::uint64_t> seed)
    : world_(world), scenario_(std::make_unique<scenario::Scenario>(world.scenario)) {
  if (scenario_->unlearning().has_settlement()) {
    scenario_->mutable_unlearning()->clear_requests();  // whoever keeps accounts of it is there, and has nothing to do
    scenario_->mutable_unlearning()->clear_at_first();  // samples read as they do now
  } else {
    scenario_->clear_unlearning();
  }
  scenario_->clear_service();
  scenario_->mutable_partition()->mutable_iid();  // not to deal slowly: the deal is the world's
  scenario_->mutable_output()->set_per_client(false);
  // What a test says ends no retraining: the rounds that were trained are trained.
  scenario_->mutable_evaluation()->set_stop_at_target(false);
  scenario_->mutable_evaluation()->set_patience(0);
  if (!scenario_->has_market()) scenario_->mutable_evaluation()->set_every(std::numeric_limits<std::uint32_t>::max());
  if (seed) scenario_->set_seed(*seed);
  simulation_ =
      make_simulation(world.comm, *scenario_, world.device, world.federation.data_as_given(), &world.federation);
}

Retraining::~Retraining() = default;

void Retraining::start_from(const SavedState& state) {
  LoadArchive load(std::as_bytes(std::span(state.bytes)));
  simulation_->serialize(load);
  load.expect_end();
  done_ = state.after;
}

void Retraining::train_through(RoundIndex last) {
  const std::optional<InjectedFault> no_fault;
  while (done_ < last) {
    done_ = {done_.value + 1};
    RoundRecord record;
    record.round = done_;
    Phases phases(world_.comm, done_, no_fault);
    simulation_->run_round(done_, false, phases, record);
    cost_ += cost_of_round(world_.federation, record);
    if (record.stop) done_ = last;
  }
}

ForgettingCost cost_of_round(const Federation& federation, const RoundRecord& record) {
  ForgettingCost cost;
  for (const SelectionRow& row : record.selections) {
    const bool trained = row.outcome != SelectionOutcome::dropout && row.outcome != SelectionOutcome::late &&
                         row.outcome != SelectionOutcome::spare;
    if (!trained) continue;
    const std::size_t held = federation.validators().training_count(row.agent);
    cost += training_cost(federation, federation.samples_trained(held), 1.0);
  }
  for (const TrafficRow& row : record.traffic) cost.megabytes += static_cast<double>(row.bytes) / 1e6;
  cost.messages += 2;
  return cost;
}

}  // namespace souk
