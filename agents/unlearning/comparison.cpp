#include "agents/unlearning/comparison.hpp"

#include <algorithm>
#include <cmath>

namespace souk {
namespace {

void record_model(const Look& look, const std::string& quality, const std::string& prefix, RoundRecord& record) {
  record.add(prefix + quality, look.test.scores.quality);
  record.add(prefix + "loss", look.test.scores.loss);
  if (look.forgotten) {
    record.add(prefix + "forgotten_" + quality, look.forgotten->quality);
    record.add(prefix + "forgotten_loss", look.forgotten->loss);
  }
  double most = -1.0;
  for (const AttackSuccess& success : look.test.attacks) most = std::max(most, success.rate);
  if (most >= 0.0) record.add(prefix + "asr", most);
  if (const std::optional<double> auc = membership_auc(look)) record.add(prefix + "membership_auc", *auc);
  record.add(prefix + "residual", look.residual);
}

/// Models of other seeds that never saw the forgotten are what an attacker's shadows would be.
void record_calibrated(const Columns& columns, const std::string& prefix, RoundRecord& record) {
  const auto add = [&](const Look& look, const char* name) {
    if (const auto auc = calibrated_membership_auc(look, columns.other_retrained)) {
      record.add(prefix + name + ".calibrated_membership_auc", *auc);
    }
  };
  add(columns.before, "before");
  add(columns.after, "after");
  add(*columns.retrained, "retrained");
}

void record_edges(const Columns& columns, const QuestionedPairs& questioned, std::size_t classes,
                  const std::string& prefix, RoundRecord& record) {
  const auto stolen = [&](const Look& look, const char* name) {
    if (const auto auc = steal_link_auc(questioned, look.posteriors, classes)) {
      record.add(prefix + name + ".steal_link_auc", *auc);
    }
  };
  stolen(columns.before, "before");
  stolen(columns.after, "after");
  if (columns.retrained) stolen(*columns.retrained, "retrained");
  if (const auto auc = release_auc(questioned, columns.before.posteriors, columns.after.posteriors, classes)) {
    record.add(prefix + "release_auc", *auc);
  }
}

}  // namespace

void record_columns(const Columns& columns, const QuestionedPairs& questioned, const Federation& federation,
                    const std::string& prefix, RoundRecord& record) {
  const Task& task = federation.task();
  const std::string quality = task.quality_name();
  const bool classes = task.classes() > 0;
  const std::size_t outputs = classes ? static_cast<std::size_t>(task.classes()) : 1;
  record_model(columns.before, quality, prefix + "before.", record);
  record_model(columns.after, quality, prefix + "after.", record);
  if (const auto auc = difference_auc(columns.before, columns.after)) record.add(prefix + "difference_auc", *auc);
  if (!questioned.pairs.empty()) record_edges(columns, questioned, outputs, prefix, record);
  if (!columns.retrained) return;
  record_model(*columns.retrained, quality, prefix + "retrained.", record);
  const auto apart = [&](const Look& look, const std::string& name) {
    const Agreement agreement = agreement_of(look, *columns.retrained, outputs, classes);
    if (classes) record.add(prefix + name + ".agreement", agreement.share);
    record.add(prefix + name + ".divergence", agreement.divergence);
    record.add(prefix + name + ".distance", distance_of(look, *columns.retrained));
  };
  apart(columns.before, "before");
  apart(columns.after, "after");
  const double whole = distance_of(columns.before, *columns.retrained);
  if (whole > 0.0) {
    record.add(prefix + "relative_distance", distance_of(columns.after, *columns.retrained) / whole);
  }
  if (columns.other_retrained.empty()) return;
  record_calibrated(columns, prefix, record);
  double share = 0.0, divergence = 0.0, distance = 0.0;
  for (const Look& other : columns.other_retrained) {
    const Agreement agreement = agreement_of(other, *columns.retrained, outputs, classes);
    share += agreement.share;
    divergence += agreement.divergence;
    distance += distance_of(other, *columns.retrained);
  }
  const auto n = static_cast<double>(columns.other_retrained.size());
  if (classes) record.add(prefix + "floor.agreement", share / n);
  record.add(prefix + "floor.divergence", divergence / n);
  record.add(prefix + "floor.distance", distance / n);
}

}  // namespace souk
