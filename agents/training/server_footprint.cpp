#include <algorithm>
#include <cmath>

#include "agents/training/model_server.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"

namespace souk {
namespace {

/// The plug-in that a message chooses in one of its oneofs; empty: none.
template <class Message>
std::string chosen_in(const Message& message, const char* oneof) {
  const auto* field =
      message.GetReflection()->GetOneofFieldDescriptor(message, Message::descriptor()->FindOneofByName(oneof));
  return field == nullptr ? "" : field->name();
}

std::string name_of(const scenario::Aggregator& config) {
  std::string name = "aggregator";
  for (const scenario::PreAggregator& stage : config.pre()) name += " " + chosen_in(stage, "method") + ",";
  return name + " " + chosen_in(config, "rule");
}

}  // namespace

/// Whole candidates on the ranks that judge them, and the model that is judged.
double ModelServer::judging_bytes(double candidates, int ranks) const {
  const auto step = static_cast<double>(step_.size() * sizeof(float));
  const double model = static_cast<double>(global_.size() * sizeof(float));
  const double whole = ranks == 1 ? candidates : std::ceil(candidates / ranks) + 1.0;
  return std::min(candidates, whole) * step + model;
}

/// Gradients of batches of the root data, as rows and as columns, and a model for each at work.
double ModelServer::gradient_bytes(int ranks) const {
  constexpr double root_batch = 32.0;  // as the judge cuts them
  const double batches = std::ceil(static_cast<double>(federation_.root(index_).size()) / root_batch);
  const auto step = static_cast<double>(step_.size() * sizeof(float));
  return (std::ceil(batches / ranks) + (ranks > 1 ? batches / ranks : 0.0) + 3.0) * step;
}

/// Samples on which the rule has models looked at in a round, counted once for each model.
double ModelServer::samples_judged_for_rule() const {
  const std::size_t updates = federation_.selector().most();
  const auto candidates = static_cast<double>(updates + 1);  // the model that they start from, too
  double samples = needs_.root_data ? candidates * static_cast<double>(federation_.root(index_).size()) : 0.0;
  if (!needs_.validators) return samples;
  std::vector<AgentId> clients;  // as good as any
  for (std::uint32_t id = 0; id < updates; ++id) clients.push_back({id});
  for (const AgentId validator : federation_.validators().of_round({1}, clients)) {
    samples += candidates * static_cast<double>(federation_.validators().samples_used(validator, {1}));
  }
  return samples;
}

std::vector<PartFootprint> ModelServer::footprints(int ranks) const {
  const std::size_t updates = federation_.selector().most();
  const RuleScale scale{
      .updates = updates, .clients = federation_.population().clients(), .dimension = step_.size(), .ranks = ranks};
  const double model = static_cast<double>(global_.size() * sizeof(float));
  const auto step = static_cast<double>(step_.size() * sizeof(float));
  std::vector<PartFootprint> parts;

  Footprint& own = parts.emplace_back(PartFootprint{"model and server optimiser", {}}).footprint;
  own.held = model + (2.0 + static_cast<double>(optimizer_->vectors())) * step + 2.0 * scale.vector();

  parts.push_back({training_part, local_.footprint(updates, trains_root_, ranks)});

  const RuleFootprint rule = rule_->footprint(scale);
  Footprint& of_rule = parts.emplace_back(PartFootprint{name_of(*owner_.aggregator), {}}).footprint;
  of_rule.held = rule.held;
  of_rule.at(Moment::aggregating) = rule.working;

  Footprint judging;
  double samples = samples_judged_for_rule();
  if (rule.candidates > 0) {
    judging.at(Moment::aggregating) = judging_bytes(static_cast<double>(rule.candidates), ranks);
  }
  if (rule.gradients) {
    judging.at(Moment::aggregating) = std::max(judging.at(Moment::aggregating), gradient_bytes(ranks));
  }
  std::vector<PartFootprint> of_hooks;
  for (const ServerHooks* hook : hooks_) {
    const HookFootprint wants = hook->footprint(scale, rule);
    samples += wants.judged * static_cast<double>(federation_.root(index_).size());
    if (wants.candidates > 0.0) {
      judging.at(Moment::valuing) = std::max(judging.at(Moment::valuing), judging_bytes(wants.candidates, ranks));
    }
    if (!wants.part.empty()) of_hooks.push_back({wants.part, wants.own});
  }
  judging.flops = federation_.task().forward_flops() * samples;
  if (judging.flops > 0.0 || judging.rank() > 0.0) parts.push_back({judging_part, judging});

  parts.push_back({"attackers", attackers_.footprint(updates, scale.vector())});
  double& rewiring = parts.back().footprint.at(Moment::training);
  rewiring = std::max(rewiring, rewirer_.bytes());
  parts.insert(parts.end(), of_hooks.begin(), of_hooks.end());

  Footprint& tests = parts.emplace_back(PartFootprint{"tests", {}}).footprint;
  tests.held = static_cast<double>(scenario_.evaluation().batch_size() * federation_.test().shape().row_values() *
                                   sizeof(float)) +
               static_cast<double>(federation_.test().size() * sizeof(SampleIndex));
  return parts;
}

}  // namespace souk
