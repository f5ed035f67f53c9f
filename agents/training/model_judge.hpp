#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "agents/cast/root_data.hpp"
#include "agents/cast/validators.hpp"
#include "aggregators/aggregator.hpp"
#include "sim/learn/task.hpp"

namespace souk {

/// What evaluations for the rule cost, in the simulated protocol.
struct JudgingCost {
  double server_flops = 0.0;
  std::vector<double> validator_flops{};  ///< of each validator; empty if none was asked
  std::uint64_t candidates = 0;           ///< models sent to every validator
  std::uint64_t reports = 0;              ///< numbers reported back, all validators
};

/// Changes what malicious validators report on steps: [validators, steps, classes], in place. Collective.
using ReportEdit = std::function<void(const ColumnMatrix& steps, std::span<const AgentId> validators,
                                      std::size_t classes, std::span<double> reports)>;

/// Answers a rule's questions about models in one round: builds the candidates, spreads (candidate, part of the data)
/// pairs over all ranks and gathers the numbers. Which rank computes a pair decides nothing but where.
class ModelJudge final : public LossOracle {
 public:
  struct JudgedRound {
    RoundIndex round;
    std::span<const float> global;       ///< [dimension], buffers included
    std::span<const AgentId> clients{};  ///< whose updates the round uses
    ReportEdit edit{};
  };
  ModelJudge(const Comm& comm, Task& task, const RootSamples& root, const Validators& validators, std::uint64_t seed,
             const JudgedRound& round);

  std::vector<Judgement> on_root(const ColumnMatrix& steps) override;
  ColumnVector root_gradient(const ColumnVector& step) override;
  std::vector<double> validator_reports(const ColumnMatrix& steps) override;
  std::span<const AgentId> validators() const override { return validating_; }
  std::vector<double> noise_ratios(const ColumnMatrix& steps, std::size_t samples, std::uint16_t lane) override;
  int classes() const override { return task_.classes(); }
  const JudgingCost& cost() const { return cost_; }

 private:
  /// [steps, parts, width]: `judge` computes one (candidate's parameters, part) pair into `width` numbers.
  std::vector<double> spread(
      const ColumnMatrix& steps, std::size_t parts, std::size_t width,
      const std::function<void(std::span<const float> parameters, std::size_t part, std::span<double> out)>& judge);
  std::vector<double> class_losses(const ColumnMatrix& steps);
  std::size_t root_batches() const;
  std::span<const SampleIndex> root_batch(std::size_t batch) const;
  std::vector<float> noise_answers(std::span<const float> parameters, std::size_t part, std::size_t samples,
                                   std::uint16_t lane);

  const Comm& comm_;
  Task& task_;
  std::span<const SampleIndex> root_;
  const Validators& validators_;
  std::uint64_t seed_;
  JudgedRound round_;
  std::vector<AgentId> validating_;
  JudgingCost cost_;
};

}  // namespace souk
