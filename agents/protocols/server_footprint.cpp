#include <algorithm>
#include <cmath>

#include "agents/market/round_worth.hpp"
#include "agents/protocols/server.hpp"
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

/// Samples on which rule and valuation look at a model in a round, counted once for each model.
double ModelServer::judged_samples() const {
  const std::size_t updates = federation_.selector().wanted();
  const auto candidates = static_cast<double>(updates + 1);  // the model that they start from, too
  const auto root = static_cast<double>(federation_.root(index_).size());
  double samples = needs_.root_data ? candidates * root : 0.0;
  if (needs_.validators) {
    std::vector<AgentId> clients;  // as good as any
    for (std::uint32_t id = 0; id < updates; ++id) clients.push_back({id});
    for (const AgentId validator : federation_.validators().of_round({1}, clients)) {
      samples += candidates * static_cast<double>(federation_.validators().samples_used(validator, {1}));
    }
  }
  const ValuationRule* valuation = trade_ != nullptr ? trade_->valuation() : nullptr;
  return valuation == nullptr ? samples : samples + valuation->most_coalitions(updates) * root;
}

std::vector<PartFootprint> ModelServer::footprints(int ranks) const {
  const std::size_t updates = federation_.selector().wanted();
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
  judging.flops = federation_.task().forward_flops() * judged_samples();
  if (rule.candidates > 0) {
    judging.at(Moment::aggregating) = judging_bytes(static_cast<double>(rule.candidates), ranks);
  }
  if (rule.gradients) {
    judging.at(Moment::aggregating) = std::max(judging.at(Moment::aggregating), gradient_bytes(ranks));
  }
  const bool worth = trade_ != nullptr && trade_needs(scenario_, owner_).worth;
  const auto coalitions = static_cast<double>(RoundWorth::batch);
  if (worth) judging.at(Moment::valuing) = judging_bytes(coalitions, ranks);
  if (judging.flops > 0.0 || judging.rank() > 0.0) parts.push_back({judging_part, judging});

  parts.push_back({"attackers", attackers_.footprint(updates, scale.vector())});

  if (trade_ != nullptr) {
    Footprint& market = parts.emplace_back(PartFootprint{"market", {}}).footprint;
    const ValuationRule* valuation = trade_->valuation();
    if (valuation != nullptr) market.at(Moment::valuing) = valuation->bytes(updates);
    if (worth) market.at(Moment::valuing) += coalitions * scale.vector();
    if (worth && trade_->values_by_rule()) market.at(Moment::valuing) += rule.held + rule.working;
    if (rewards_ != nullptr) market += RewardModels::footprint(step_.size(), scale.clients, ranks);
  }

  Footprint& tests = parts.emplace_back(PartFootprint{"tests", {}}).footprint;
  tests.held =
      static_cast<double>(scenario_.evaluation().batch_size() * federation_.test().features() * sizeof(float)) +
      static_cast<double>(federation_.test().size() * sizeof(SampleIndex));
  return parts;
}

}  // namespace souk
