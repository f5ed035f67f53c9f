#include "analysis/report/verdict.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "analysis/statistics/summary.hpp"

namespace souk {
namespace {

using Result = RuleVerdict::Result;

std::optional<double> accuracy_of(const Study& study, const StudyCell& cell) {
  const StudyRun& run = study.runs[cell.run];
  return run.status == "done" ? run.final_value("accuracy") : std::nullopt;
}

/// What cells are compared with: the clean one of the same rule and seed that agrees on most axes, the first of
/// several; or, where no cell is clean, the best of the same seed and axes.
class References {
 public:
  explicit References(const Study& study) {
    against_clean_ = std::ranges::any_of(study.cells, [](const StudyCell& cell) { return cell.attack == "none"; });
    for (const StudyCell& cell : study.cells) {
      const auto accuracy = accuracy_of(study, cell);
      if (!accuracy) continue;
      if (cell.attack == "none") clean_[{cell.rule, cell.seed}].emplace_back(&cell, *accuracy);
      const auto [best, is_new] = best_.try_emplace({cell.seed, cell.at}, *accuracy);
      if (!is_new) best->second = std::max(best->second, *accuracy);
    }
  }
  bool against_clean() const { return against_clean_; }
  std::optional<double> of(const StudyCell& cell) const {
    if (!against_clean_) {
      const auto best = best_.find({cell.seed, cell.at});
      return best == best_.end() ? std::nullopt : std::optional(best->second);
    }
    const auto candidates = clean_.find({cell.rule, cell.seed});
    if (candidates == clean_.end()) return std::nullopt;
    const auto agreement = [&](const auto& candidate) {
      std::ptrdiff_t agreed = 0;
      for (std::size_t i = 0; i < cell.at.size(); ++i) agreed += cell.at[i] == candidate.first->at[i] ? 1 : 0;
      return agreed;
    };
    return std::ranges::max_element(candidates->second, {}, agreement)->second;
  }

 private:
  bool against_clean_ = true;
  std::map<std::pair<std::string, std::string>, std::vector<std::pair<const StudyCell*, double>>> clean_;
  std::map<std::pair<std::string, std::vector<std::string>>, double> best_;
};

std::optional<double> mean_or_none(const std::vector<double>& values) {
  return values.empty() ? std::nullopt : std::optional(summarise(values).mean);
}

/// One rule under one attack at one place of the other axes: its seeds.
struct Setting {
  std::string rule, attack, place;
  std::vector<double> accuracies = {}, losses = {}, successes = {};
  int diverged = 0, unfinished = 0;
  std::optional<double> loss() const { return mean_or_none(losses); }
  std::optional<double> success() const { return mean_or_none(successes); }
  bool broken(const VerdictLimits& limits) const {
    return diverged > 0 || loss().value_or(0.0) >= limits.accuracy_loss ||
           success().value_or(0.0) >= limits.attack_success;
  }
  /// A smaller rank is worse: diverged, then by loss.
  std::pair<int, double> rank() const { return {diverged > 0 ? 0 : 1, -loss().value_or(-1.0)}; }
};

std::string place_text(const Study& study, const StudyCell& cell) {
  std::string text;
  for (std::size_t i = 0; i < study.axes.size(); ++i) {
    text += fmt::format("{}{} {}", i > 0 ? ", " : "", study.axes[i].name, cell.at[i]);
  }
  return text;
}

/// In the order of the study's cells.
std::vector<Setting> settings_under_attack(const Study& study, const References& references) {
  std::vector<Setting> settings;
  std::map<std::pair<std::pair<std::string, std::string>, std::vector<std::string>>, std::size_t> places;
  for (const StudyCell& cell : study.cells) {
    if (cell.attack == "none" || cell.attack.empty()) continue;
    const auto [place, is_new] = places.try_emplace({{cell.rule, cell.attack}, cell.at}, settings.size());
    if (is_new) settings.push_back({.rule = cell.rule, .attack = cell.attack, .place = place_text(study, cell)});
    Setting& setting = settings[place->second];
    const StudyRun& run = study.runs[cell.run];
    const auto accuracy = accuracy_of(study, cell);
    const auto reference = references.of(cell);
    const std::optional<double> success = run.final_value("asr");
    if (run.diverged()) ++setting.diverged;
    if (accuracy) setting.accuracies.push_back(*accuracy);
    if (accuracy && reference) setting.losses.push_back(*reference - *accuracy);
    if (run.status == "done" && success) setting.successes.push_back(*success);
    if (!run.diverged() && !(accuracy && reference)) ++setting.unfinished;
  }
  return settings;
}

RuleVerdict judge_rule(const std::string& rule, const std::vector<const Setting*>& settings,
                       const VerdictLimits& limits) {
  RuleVerdict verdict{.rule = rule};
  const Setting* worst = nullptr;
  for (const Setting* setting : settings) {
    ++verdict.settings;
    if (setting->broken(limits)) {
      ++verdict.broken;
    } else if (setting->unfinished > 0) {
      ++verdict.unfinished;
    }
    if ((setting->loss() || setting->diverged > 0) && (worst == nullptr || setting->rank() < worst->rank())) {
      worst = setting;
    }
    const std::optional<double> success = setting->success();
    if (success.value_or(-1.0) > verdict.attack_success.value_or(-1.0)) {
      verdict.attack_success = success;
      verdict.strongest_backdoor = setting->attack;
    }
  }
  if (worst != nullptr) {
    verdict.worst_attack = worst->attack;
    verdict.worst_setting = worst->place;
    if (worst->diverged == 0) {
      verdict.worst_accuracy = mean_or_none(worst->accuracies);
      verdict.worst_loss = worst->loss();
    }
  }
  verdict.result = verdict.broken > 0 ? Result::broke : verdict.unfinished > 0 ? Result::unfinished : Result::held;
  return verdict;
}

AttackVerdict judge_attack(const std::string& attack, const std::vector<Setting>& settings,
                           const VerdictLimits& limits) {
  AttackVerdict verdict{.attack = attack};
  std::vector<double> losses;
  for (const Setting& setting : settings) {
    if (setting.attack != attack) continue;
    verdict.broken += setting.broken(limits) ? 1 : 0;
    losses.insert(losses.end(), setting.losses.begin(), setting.losses.end());
    if (const auto success = setting.success()) {
      verdict.attack_success = std::max(verdict.attack_success.value_or(0.0), *success);
    }
  }
  verdict.mean_loss = mean_or_none(losses);
  return verdict;
}

/// Over the runs of cells without attack, each counted once.
std::optional<double> clean_accuracy(const Study& study, const std::string& rule) {
  std::map<std::size_t, double> accuracies;
  for (const StudyCell& cell : study.cells) {
    const auto accuracy = accuracy_of(study, cell);
    if (cell.rule == rule && cell.attack == "none" && accuracy) accuracies[cell.run] = *accuracy;
  }
  std::vector<double> values;
  for (const auto& [run, accuracy] : accuracies) values.push_back(accuracy);
  return mean_or_none(values);
}

}  // namespace

StudyVerdict judge(const Study& study, const VerdictLimits& limits) {
  const References references(study);
  const std::vector<Setting> settings = settings_under_attack(study, references);
  StudyVerdict verdict{.against_clean = references.against_clean(), .rules = {}, .attacks = {}};
  for (const std::string& rule : study.rules) {
    std::vector<const Setting*> own;
    for (const Setting& setting : settings) {
      if (setting.rule == rule) own.push_back(&setting);
    }
    if (own.empty()) continue;
    verdict.rules.push_back(judge_rule(rule, own, limits));
    verdict.rules.back().clean_accuracy = clean_accuracy(study, rule);
  }
  for (const std::string& attack : study.attacks) {
    const bool tried = std::ranges::any_of(settings, [&](const Setting& setting) { return setting.attack == attack; });
    if (tried) verdict.attacks.push_back(judge_attack(attack, settings, limits));
  }
  std::ranges::stable_sort(verdict.attacks, [](const AttackVerdict& a, const AttackVerdict& b) {
    return std::pair(a.broken, a.mean_loss.value_or(-1.0)) > std::pair(b.broken, b.mean_loss.value_or(-1.0));
  });
  return verdict;
}

}  // namespace souk
