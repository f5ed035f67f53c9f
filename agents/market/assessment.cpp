#include "agents/market/assessment.hpp"

#include "sim/base/contract.hpp"
#include "sim/params/linear.hpp"
#include "sim/stats/correlation.hpp"

namespace souk {
namespace {

/// Tests models that are some steps away from one another.
class StepTest {
 public:
  StepTest(const Comm& comm, std::span<const float> global, const ColumnMatrix& updates, const QualityTest& quality)
      : comm_(comm), global_(global), updates_(updates), quality_(quality), step_(updates.dimension()) {}

  /// Quality after the step that these weights give.
  double quality_of(std::span<const double> weights) {
    replicate(comm_, updates_.plan(), combine(updates_, weights), step_);
    std::vector<float> parameters(global_.begin(), global_.end());
    for (std::size_t v = 0; v < step_.size(); ++v) parameters[v] += step_[v];
    return quality_.of(parameters);
  }

 private:
  const Comm& comm_;
  std::span<const float> global_;
  const ColumnMatrix& updates_;
  const QualityTest& quality_;
  std::vector<float> step_;
};

/// The others' weights, scaled to the same sum.
std::vector<double> without(std::size_t left_out, std::span<const double> weights) {
  std::vector<double> rest(weights.begin(), weights.end());
  rest[left_out] = 0.0;
  double sum = 0.0, kept = 0.0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    sum += weights[i];
    kept += rest[i];
  }
  for (double& weight : rest) weight = kept > 0.0 ? weight * sum / kept : 0.0;
  return rest;
}

void record_correlation(const std::string& kind, std::span<const double> contribution, std::span<const double> paid,
                        RoundRecord& record) {
  const std::vector<double> x(contribution.begin(), contribution.end()), y(paid.begin(), paid.end());
  if (const auto value = pearson(x, y)) record.add("reward_correlation." + kind, *value);
  if (const auto value = spearman(x, y)) record.add("reward_rank_correlation." + kind, *value);
}

}  // namespace

Contributions measure_contributions(const Comm& comm, std::span<const float> global, const ColumnMatrix& updates,
                                    std::span<const double> weights, const QualityTest& quality) {
  SOUK_EXPECT(weights.size() == updates.rows());
  StepTest test(comm, global, updates, quality);
  const double together = test.quality_of(weights);
  Contributions result;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    std::vector<double> alone(weights.size(), 0.0);
    alone[i] = 1.0;
    result.alone.push_back(test.quality_of(alone));
    result.left_out.push_back(weights[i] == 0.0 ? 0.0 : together - test.quality_of(without(i, weights)));
  }
  return result;
}

void record_contributions(const Contributions& contributions, const std::string& quality,
                          std::span<const AgentId> sellers, std::span<const double> paid, RoundRecord& record) {
  for (std::size_t i = 0; i < sellers.size(); ++i) {
    record.add("standalone_" + quality, contributions.alone[i], sellers[i].value);
    record.add("leave_one_out", contributions.left_out[i], sellers[i].value);
  }
  record_correlation("standalone", contributions.alone, paid, record);
  record_correlation("leave_one_out", contributions.left_out, paid, record);
}

}  // namespace souk
