#include "agents/training/round_recorder.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/base/contract.hpp"
#include "sim/params/linear.hpp"

namespace souk {

SelectionRow& selection_of(AgentId client, RoundRecord& record) {
  const auto row = std::ranges::lower_bound(record.selections, client, {}, &SelectionRow::agent);
  SOUK_EXPECT(row != record.selections.end() && row->agent == client);
  return *row;
}

void record_selection(const RoundSelection& selection, const Deal& deal, const MessageBytes& bytes,
                      RoundRecord& record) {
  std::uint64_t updates = 0;
  for (const Candidate& candidate : selection.asked) {
    record.selections.push_back({candidate.client, candidate.outcome, deal.of(candidate.client.value).size(),
                                 candidate.arrival_seconds, 0.0, std::nullopt});
    updates += candidate.outcome == SelectionOutcome::dropout ? 0 : 1;
  }
  record.traffic.push_back(
      {"model", selection.asked.size(), selection.asked.size() * static_cast<std::uint64_t>(bytes.model)});
  record.traffic.push_back({"update", updates, updates * static_cast<std::uint64_t>(bytes.update)});
}

void record_invalid(AgentId client, const std::string& why, RoundRecord& record) {
  record.events.push_back({"invalid update", client.value, why});
  selection_of(client, record).outcome = SelectionOutcome::invalid;
}

void record_clients(std::span<const ReceivedUpdate> received, std::span<const TrainedRow> trained,
                    const RuleOutput& output, double step_norm, std::span<const double> products, RoundRecord& record) {
  double loss_sum = 0.0;
  double sample_sum = 0.0;
  for (std::size_t k = 0; k < received.size(); ++k) {
    const ReceivedUpdate& update = received[k];
    const TrainedRow& own = trained[update.row];
    loss_sum += own.loss * static_cast<double>(own.samples);
    sample_sum += static_cast<double>(own.samples);
    SelectionRow& row = selection_of(update.client, record);
    row.weight = output.by_coordinate && output.weights[k] != 0.0 ? std::nullopt : std::optional(output.weights[k]);
    if (!output.scores.empty()) row.score = output.scores[k];
    if (output.weights[k] == 0.0) row.outcome = SelectionOutcome::rejected;
    if (products.empty()) continue;
    const double norm = std::sqrt(update.squared_norm);
    record.add("local_loss", own.loss, update.client.value);
    record.add("update_norm", norm, update.client.value);
    record.add("cosine_to_aggregate", cosine_of(products[k], norm * step_norm), update.client.value);
  }
  if (sample_sum > 0.0) record.add("train_loss", loss_sum / sample_sum);
  record.add("step_norm", step_norm);
  record.add("updates", static_cast<double>(received.size()));
  for (const auto& [name, value] : output.diagnostics) record.add("rule." + name, value);
}

void record_detection(std::span<const ReceivedUpdate> received, const RuleOutput& output,
                      const std::function<bool(AgentId)>& malicious, RoundRecord& record) {
  std::size_t kept_benign = 0, benign = 0, kept_malicious = 0, delivered = 0;
  for (const SelectionRow& row : record.selections) {
    const bool arrived = row.outcome == SelectionOutcome::accepted || row.outcome == SelectionOutcome::rejected ||
                         row.outcome == SelectionOutcome::outbid || row.outcome == SelectionOutcome::invalid;
    if (!arrived) continue;
    (malicious(row.agent) ? delivered : benign) += 1;
  }
  if (delivered == 0) return;
  for (std::size_t k = 0; k < received.size(); ++k) {
    if (output.weights[k] == 0.0) continue;
    (malicious(received[k].client) ? kept_malicious : kept_benign) += 1;
  }
  record.add("malicious_updates", static_cast<double>(delivered));
  if (output.by_coordinate) return;  // no update is kept or rejected as a whole
  record.add("tpr", 1.0 - static_cast<double>(kept_malicious) / static_cast<double>(delivered));
  if (benign > 0) record.add("tnr", static_cast<double>(kept_benign) / static_cast<double>(benign));
}

void record_judging(const ModelJudge& judge, const Population& population, std::uint64_t model_bytes,
                    RoundRecord& record) {
  const JudgingCost& cost = judge.cost();
  if (cost.server_flops > 0.0) record.add("judging_flops_server", cost.server_flops);
  if (cost.candidates == 0) return;
  const std::span<const AgentId> validators = judge.validators();
  double flops = 0.0;
  double longest = 0.0;
  std::uint64_t strangers = 0;  // validators who do not have the global model of this round yet
  for (std::size_t v = 0; v < validators.size(); ++v) {
    const bool asked = std::ranges::binary_search(record.selections, validators[v], {}, &SelectionRow::agent);
    const std::uint64_t models = cost.candidates + (asked ? 0 : 1);
    const Device device = population.device(validators[v]);
    strangers += asked ? 0 : 1;
    flops += cost.validator_flops[v];
    longest = std::max(longest, cost.validator_flops[v] / device.compute +
                                    static_cast<double>(models * model_bytes) / device.bandwidth);
  }
  const std::uint64_t models = validators.size() * cost.candidates + strangers;
  record.traffic.push_back({"candidate model", models, models * model_bytes});
  record.traffic.push_back({"validation report", validators.size(), cost.reports * sizeof(float)});
  record.add("judging_flops_validators", flops);
  record.virtual_seconds += longest;
}

void record_test(const TestResult& result, const std::string& quality, std::span<const int> groups,
                 RoundRecord& record) {
  record.quality = MetricValue{quality, result.scores.quality};
  for (const TaskMetric& metric : result.scores.metrics) record.add(metric.name, metric.value, -1, metric.label);
  AttackSuccess most{-1.0, -1.0};
  for (std::size_t t = 0; t < groups.size(); ++t) {
    const AttackSuccess& success = result.attacks[t];
    record.add(fmt::format("asr.{}", groups[t]), success.rate);
    record.add(fmt::format("asr_of_correct.{}", groups[t]), success.rate_of_correct);
    most.rate = std::max(most.rate, success.rate);  // a NaN is no maximum
    most.rate_of_correct = std::max(most.rate_of_correct, success.rate_of_correct);
  }
  if (most.rate >= 0.0) record.add("asr", most.rate);
  if (most.rate_of_correct >= 0.0) record.add("asr_of_correct", most.rate_of_correct);
}

}  // namespace souk
