#include "agents/market/round_worth.hpp"

#include <algorithm>
#include <unordered_set>

#include "scenarios/valuations.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

constexpr double most_loss = 1000.0;

}  // namespace

RoundWorth::RoundWorth(const WorthSetting& setting) : setting_(setting) {
  SOUK_EXPECT(setting.submissions.size() == setting.updates.rows());
  if (setting.config.step() != scenario::Worth::RULE || setting.rule == nullptr) return;
  SOUK_REQUIRE(!setting.rule->copy()->needs().everyone,
               "market.worth.step = RULE: the aggregator needs every client in every round, so it cannot be asked what "
               "it makes of some of them");
}

std::vector<double> RoundWorth::of(std::span<const Coalition> coalitions) {
  std::vector<Coalition> asked;
  std::unordered_set<Coalition> listed;
  for (const Coalition& coalition : coalitions) {
    SOUK_EXPECT(coalition.size() == setting_.updates.rows());
    const bool empty = std::ranges::find(coalition, true) == coalition.end();
    if (empty) known_.try_emplace(coalition, 0.0);
    if (!known_.contains(coalition) && listed.insert(coalition).second) asked.push_back(coalition);
  }
  for (std::size_t first = 0; first < asked.size(); first += batch) {
    evaluate(std::span(asked).subspan(first, std::min(batch, asked.size() - first)));
  }
  std::vector<double> worths;
  for (const Coalition& coalition : coalitions) worths.push_back(known_.at(coalition));
  return worths;
}

void RoundWorth::evaluate(std::span<const Coalition> coalitions) {
  if (evaluations_ == 0) before_ = judge(zero_step(setting_.setting.comm, setting_.updates.dimension())).front();
  const bool by_rule = setting_.config.step() == scenario::Worth::RULE;
  const std::vector<double> after = judge(by_rule ? rule_steps(coalitions) : mean_steps(coalitions));
  for (std::size_t k = 0; k < coalitions.size(); ++k) known_.emplace(coalitions[k], before_ - after[k]);
}

/// What worth counts the decrease of, for the model after each step.
std::vector<double> RoundWorth::judge(const ColumnMatrix& steps) {
  std::vector<double> result;
  for (const Judgement& judgement : setting_.judge.on_root(steps)) result.push_back(badness(judgement));
  evaluations_ += steps.rows();
  return result;
}

double RoundWorth::badness(const Judgement& judgement) const {
  if (setting_.config.measure() == scenario::Worth::ACCURACY) return judgement.error;
  return judgement.loss < most_loss ? judgement.loss : most_loss;  // NaN is not less
}

ColumnMatrix RoundWorth::mean_steps(std::span<const Coalition> coalitions) const {
  const std::size_t n = setting_.updates.rows();
  std::vector<double> coefficients;
  for (const Coalition& coalition : coalitions) {
    double samples = 0.0, members = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      samples += coalition[i] ? static_cast<double>(setting_.submissions[i].samples) : 0.0;
      members += coalition[i] ? 1.0 : 0.0;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double share =
          samples > 0.0 ? static_cast<double>(setting_.submissions[i].samples) / samples : 1.0 / members;
      coefficients.push_back(coalition[i] ? share : 0.0);
    }
  }
  return mix(setting_.setting.comm, setting_.updates, coefficients);
}

ColumnMatrix RoundWorth::rule_steps(std::span<const Coalition> coalitions) {
  SOUK_EXPECT(setting_.rule != nullptr);
  ColumnMatrixBuilder steps(setting_.setting.comm, coalitions.size(), setting_.updates.dimension());
  for (std::size_t k = 0; k < coalitions.size(); ++k) run_rule_on(coalitions[k], steps.row(k));
  return std::move(steps).finish();
}

/// Leaves `step` 0, which is worth 0, where the rule takes none.
void RoundWorth::run_rule_on(const Coalition& coalition, std::span<float> step) {
  std::vector<std::size_t> rows;
  std::vector<Submission> members;
  for (std::size_t i = 0; i < coalition.size(); ++i) {
    if (!coalition[i]) continue;
    rows.push_back(i);
    members.push_back(setting_.submissions[i]);
  }
  const std::unique_ptr<Aggregator> rule = setting_.rule->copy();
  try {
    rule->check({.updates = rows.size(), .tolerated_f = setting_.setting.tolerated_f});
  } catch (const InputError&) {
    return;
  }
  const RuleOutput output =
      run_rule(*rule, setting_.setting, members, setting_.updates.select(setting_.setting.comm, rows), &setting_.judge,
               streams::rule_tried_by_valuation);
  std::ranges::copy(output.step.values(), step.begin());
}

}  // namespace souk
