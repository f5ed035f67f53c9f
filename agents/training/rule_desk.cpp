#include "agents/training/rule_desk.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"

namespace souk {

RuleOutput run_rule(Aggregator& rule, const RuleSetting& setting, std::span<const Submission> submissions,
                    const ColumnMatrix& updates, LossOracle* losses, RuleDraws draws) {
  Stream random(setting.seed, draws(setting.owner, setting.round));
  RuleLog log;
  RuleOutput output = rule.aggregate({.comm = setting.comm,
                                      .round = setting.round,
                                      .submissions = submissions,
                                      .updates = updates,
                                      .random = random,
                                      .tolerated_f = setting.tolerated_f,
                                      .global = &setting.global,
                                      .root_update = setting.root_update,
                                      .losses = losses,
                                      .layout = setting.layout,
                                      .log = &log});
  output.diagnostics.insert(log.tolerated.begin(), log.tolerated.end());
  output.remarks = std::move(log.remarks);
  SOUK_EXPECT(output.weights.size() == submissions.size());
  return output;
}

std::vector<std::size_t> finite_rows(std::span<const double> squared_norms) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < squared_norms.size(); ++i) {
    if (std::isfinite(squared_norms[i])) rows.push_back(i);
  }
  return rows;
}

RuleSnapshot::RuleSnapshot(const scenario::Aggregator& config, Aggregator& rule, const Comm& comm)
    : config_(config), comm_(comm) {
  if (!rule.needs().memory) return;
  SaveArchive archive(Portion::own);
  rule.serialize(archive, comm);
  state_ = archive.bytes();
}

std::unique_ptr<Aggregator> RuleSnapshot::copy() const {
  std::unique_ptr<Aggregator> copy = make_aggregator(config_);
  if (state_.empty()) return copy;
  LoadArchive archive(state_, Portion::own);
  copy->serialize(archive, comm_);
  return copy;
}

ServerProbe::ServerProbe(const scenario::Aggregator& config, Aggregator& rule, const RuleSetting& setting,
                         std::vector<Submission> submissions, std::function<std::unique_ptr<LossOracle>()> losses)
    : config_(config),
      rule_(rule),
      setting_(setting),
      submissions_(std::move(submissions)),
      losses_(std::move(losses)) {}

ProbeResult ServerProbe::judge(const ColumnMatrix& updates, std::span<const std::size_t> rows) {
  SOUK_EXPECT(updates.rows() == submissions_.size());
  if (!snapshot_) snapshot_.emplace(config_, rule_, setting_.comm);
  const std::unique_ptr<Aggregator> rule = snapshot_->copy();
  const std::vector<double> squares = squared_norms(setting_.comm, updates);
  std::vector<std::size_t> used = finite_rows(squares);
  std::erase_if(used, [&](std::size_t i) { return std::ranges::find(rows, i) == rows.end(); });
  // The server orders updates by the names under which it knows the clients.
  std::ranges::sort(used, {}, [&](std::size_t i) { return submissions_[i].agent; });
  std::vector<Submission> submissions;
  for (const std::size_t i : used) submissions.push_back(submissions_[i]);
  ProbeResult result{ColumnVector(updates), std::vector<double>(updates.rows(), 0.0)};
  if (used.empty()) return result;
  const std::unique_ptr<LossOracle> losses = losses_ ? losses_() : nullptr;
  RuleOutput output = run_rule(*rule, setting_, submissions, updates.select(setting_.comm, used), losses.get(),
                               streams::rule_tried_by_attackers);
  result.step = std::move(output.step);
  for (std::size_t k = 0; k < used.size(); ++k) result.weights[used[k]] = output.weights[k];
  return result;
}

}  // namespace souk
