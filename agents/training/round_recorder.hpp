#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "agents/cast/population.hpp"
#include "agents/cast/selection.hpp"
#include "agents/training/evaluator.hpp"
#include "agents/training/model_judge.hpp"
#include "aggregators/aggregator.hpp"
#include "sim/data/partitioner.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

// What a federated round writes into its record; docs/metrics.md defines every number.

/// What one client's training leaves beside its update.
struct TrainedRow {
  std::uint64_t row = 0;
  std::uint64_t samples = 0;
  double loss = 0.0;
};

/// An update that reached the rule.
struct ReceivedUpdate {
  std::size_t row = 0;  ///< of the round's clients
  AgentId client;
  AgentId identity;  ///< under which the server knows the client
  double squared_norm = 0.0;
};

/// Who was asked, and the messages of the simulated protocol.
void record_selection(const RoundSelection& selection, const Deal& deal, const MessageBytes& bytes,
                      RoundRecord& record);

/// The row of a client that was asked.
SelectionRow& selection_of(AgentId client, RoundRecord& record);

/// An update that cannot be used.
void record_invalid(AgentId client, const std::string& why, RoundRecord& record);

/// What became of every update. `received` and the rule's output go together; `trained` is by row; `products` are the
/// updates' inner products with the step, empty: no numbers per client.
void record_clients(std::span<const ReceivedUpdate> received, std::span<const TrainedRow> trained,
                    const RuleOutput& output, double step_norm, std::span<const double> products, RoundRecord& record);

/// How well the rule tells malicious updates from benign ones.
void record_detection(std::span<const ReceivedUpdate> received, const RuleOutput& output,
                      const std::function<bool(AgentId)>& malicious, RoundRecord& record);

/// Validation is part of the simulated protocol: its messages, its work, and the time of the slowest validator.
void record_judging(const ModelJudge& judge, const Population& population, std::uint64_t model_bytes,
                    RoundRecord& record);

/// The task's metrics, and the success of the attacker groups that want something of certain inputs.
void record_test(const TestResult& result, const std::string& quality, std::span<const int> groups,
                 RoundRecord& record);

}  // namespace souk
