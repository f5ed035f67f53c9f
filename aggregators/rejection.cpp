#include "aggregators/rejection.hpp"

#include <algorithm>

#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

std::vector<std::size_t> without(std::size_t n, std::size_t left_out) {
  std::vector<std::size_t> rows = all_rows(n);
  rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(left_out));
  return rows;
}

/// A loss as a finite number: one that overflowed, or is not a number, is as bad as can be.
double finite(double loss) { return loss < 1e300 ? loss : 1e300; }

void drop_largest(const std::vector<double>& impacts, std::size_t count, std::vector<bool>& kept) {
  std::vector<double> negated;
  for (const double impact : impacts) negated.push_back(-impact);
  for (const std::size_t i : smallest(negated, count)) kept[i] = false;
}

}  // namespace

std::unique_ptr<Aggregator> make_default_base() {
  scenario::Aggregator config;
  config.mutable_trimmed_mean();
  return make_aggregator(config);
}

Rejection::Rejection(std::string_view name, std::int32_t f, By by, std::unique_ptr<Aggregator> base,
                     std::int32_t base_f)
    : f_(name, f, by.error && by.loss ? 2 : 1, 1), by_(by), base_(std::move(base)), base_f_(base_f) {
  const RuleNeeds needs = base_->needs();
  SOUK_REQUIRE(!needs.memory && !needs.history && !needs.everyone,
               "aggregator.{}.base: a rule that remembers earlier rounds cannot be tried out", name);
}

RuleNeeds Rejection::needs() const {
  RuleNeeds needs = base_->needs();
  needs.tolerated_f = f_.from_scenario() || (needs.tolerated_f && base_f_ < 0);
  needs.root_data = true;
  return needs;
}

void Rejection::check(const RoundSize& round) const {
  f_.check(round);
  const std::size_t rejected = f_.of(round.updates, round.tolerated_f, nullptr) * (by_.error && by_.loss ? 2 : 1);
  const std::size_t left = round.updates - std::max<std::size_t>(1, rejected);  // tried without each update in turn
  base_->check({left, base_f(round.tolerated_f)});
}

RuleFootprint Rejection::footprint(const RuleScale& scale) const {
  RuleFootprint footprint = base_->footprint(scale);
  footprint.candidates = std::max(footprint.candidates, scale.updates + 1);
  footprint.working += static_cast<double>(scale.updates + 1) * scale.vector();
  return footprint;
}

RuleOutput Rejection::base_of(const RuleInput& input, std::span<const std::size_t> rows, Stream& random,
                              RuleLog* log) const {
  const ColumnMatrix some = input.updates.select(input.comm, rows);
  std::vector<Submission> submissions;
  for (const std::size_t i : rows) submissions.push_back(input.submissions[i]);
  return base_->aggregate({.comm = input.comm,
                           .round = input.round,
                           .submissions = submissions,
                           .updates = some,
                           .random = random,
                           .tolerated_f = base_f(input.tolerated_f),
                           .global = input.global,
                           .root_update = input.root_update,
                           .losses = input.losses,
                           .layout = input.layout,
                           .log = log});
}

RuleOutput Rejection::aggregate(const RuleInput& input) {
  const std::size_t n = input.updates.rows();
  std::vector<bool> kept(n, true);
  std::vector<double> scores(n, 0.0);
  const std::size_t count = f_.of(input);
  if (n > 1) {
    // Candidate i is the base without update i; the last is the base with everybody.
    ColumnMatrixBuilder candidates(input.comm, n + 1, input.updates.dimension());
    for (std::size_t i = 0; i <= n; ++i) {
      Stream same = input.random;  // a base that draws at random draws alike in every trial
      const ColumnVector step = base_of(input, i < n ? without(n, i) : all_rows(n), same, nullptr).step;
      std::copy(step.values().begin(), step.values().end(), candidates.row(i).begin());
    }
    const std::vector<Judgement> judged = input.losses->on_root(std::move(candidates).finish());
    std::vector<double> errors, losses;
    for (std::size_t i = 0; i < n; ++i) {
      errors.push_back(judged[n].error - judged[i].error);
      losses.push_back(finite(judged[n].loss) - finite(judged[i].loss));
    }
    if (by_.error) drop_largest(errors, count, kept);
    if (by_.loss) drop_largest(losses, count, kept);
    for (std::size_t i = 0; i < n; ++i) scores[i] = by_.loss ? -losses[i] : -errors[i];
  }
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < n; ++i) {
    if (kept[i]) rows.push_back(i);
  }
  RuleLog of_base;
  RuleOutput output = base_of(input, rows, input.random, &of_base);
  if (input.log != nullptr) {
    for (const auto& [name, f] : of_base.tolerated) input.log->tolerated["base." + name] = f;
    for (const std::string& sentence : of_base.remarks) remark(input, "base " + sentence);
  }
  output.by_coordinate = false;  // whatever the base does, updates were left out as wholes
  std::vector<double> weights(n, 0.0);
  for (std::size_t k = 0; k < rows.size(); ++k) weights[rows[k]] = output.weights[k];
  output.weights = std::move(weights);
  output.scores = std::move(scores);
  output.diagnostics["rejected"] = static_cast<double>(n - rows.size());
  return output;
}

}  // namespace souk
