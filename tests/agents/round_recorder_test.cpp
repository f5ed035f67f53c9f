// What becomes of a round's numbers in its record.
#include "agents/training/round_recorder.hpp"

#include <gmock/gmock.h>

namespace souk::round_recorder_test {
namespace {

/// A round of two clients whose updates reached the rule.
RoundRecord record_of(const std::vector<TrainedRow>& trained, const RuleOutput& output) {
  RoundRecord record;
  const std::vector<ReceivedUpdate> received{{0, {0}, {0}, 1.0}, {1, {1}, {1}, 1.0}};
  for (const std::uint32_t id : {0U, 1U}) {
    record.selections.push_back({.agent = {id}, .outcome = SelectionOutcome::accepted, .samples = 1, .score = {}});
  }
  record_clients(received, trained, output, 1.0, {}, record);
  record_detection(
      received, output, [](AgentId client) { return client.value == 1; }, record);
  return record;
}

RuleOutput output_of(std::vector<double> weights, bool by_coordinate) {
  return {.step = {}, .weights = std::move(weights), .scores = {}, .diagnostics = {}, .by_coordinate = by_coordinate};
}

TEST(RoundRecorder, has_no_training_loss_where_nobody_holds_a_sample) {
  const RuleOutput output = output_of({0.5, 0.5}, false);
  EXPECT_EQ(record_of({{0, 0, 0.0}, {1, 0, 0.0}}, output).metric("train_loss"), std::nullopt);
  EXPECT_EQ(record_of({{0, 3, 1.0}, {1, 1, 5.0}}, output).metric("train_loss"), 2.0);
}

TEST(RoundRecorder, knows_no_weight_and_no_rate_of_detection_of_a_rule_by_coordinate) {
  const std::vector<TrainedRow> trained{{0, 1, 1.0}, {1, 1, 1.0}};
  const RoundRecord whole = record_of(trained, output_of({1.0, 0.0}, false));
  EXPECT_EQ(whole.metric("tpr"), 1.0);
  EXPECT_EQ(whole.metric("tnr"), 1.0);
  EXPECT_EQ(whole.selections[0].weight, 1.0);
  const RoundRecord mixed = record_of(trained, output_of({0.5, 0.5}, true));
  EXPECT_EQ(mixed.metric("malicious_updates"), 1.0);
  EXPECT_EQ(mixed.metric("tpr"), std::nullopt);
  EXPECT_EQ(mixed.metric("tnr"), std::nullopt);
  EXPECT_EQ(mixed.selections[0].weight, std::nullopt);
}

}  // namespace
}  // namespace souk::round_recorder_test
