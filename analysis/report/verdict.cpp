#include "analysis/report/verdict.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using Result = RuleVerdict::Result;

std::optional<double> accuracy_of(const Study& study, const StudyCell& cell) {
  const StudyRun& run = study.runs[cell.run];
  return run.is_done() ? run.final_value(study.quality()) : std::nullopt;
}

/// What a cell is compared with.
struct Reference {
  std::optional<double> accuracy = {};
  bool diverged = false;
  std::optional<double> tolerated_f = {};
  std::optional<double> success = {};  ///< of the same goal where nobody acts
};

/// The clean cell of the same sweep, rule and seed that agrees on most axes, of several a finished one, and of these
/// one of the same tolerated_f; or, where no cell of the sweep is clean, the best of several of the same seed and axes.
class References {
 public:
  explicit References(const Study& study) : study_(study) {
    for (const StudyCell& cell : study.cells) {
      const std::string& sweep = study.runs[cell.run].sweep;
      if (cell.clean) {
        clean_[{sweep, cell.rule, cell.seed}].push_back(&cell);
        sweeps_with_clean_.insert(sweep);
        const StudyRun& run = study.runs[cell.run];
        if (run.is_done() && run.finals.contains("asr"))
          measuring_[{sweep, cell.rule, cell.seed, run.goal}].push_back(&cell);
      }
      if (const auto accuracy = accuracy_of(study, cell)) finished_[{sweep, cell.seed, cell.at}].push_back(*accuracy);
    }
  }
  bool are_clean_for(const StudyCell& cell) const { return sweeps_with_clean_.contains(study_.runs[cell.run].sweep); }
  Reference of(const StudyCell& cell) const {
    const std::string& sweep = study_.runs[cell.run].sweep;
    if (!are_clean_for(cell)) {
      const auto finished = finished_.find({sweep, cell.seed, cell.at});
      if (finished == finished_.end() || finished->second.size() < 2) return {};
      return {.accuracy = std::ranges::max(finished->second)};
    }
    const auto candidates = clean_.find({sweep, cell.rule, cell.seed});
    if (candidates == clean_.end()) return {};
    const StudyCell& closest = closest_to(cell, candidates->second);
    const StudyRun& run = study_.runs[closest.run];
    Reference reference{.accuracy = accuracy_of(study_, closest),
                        .diverged = run.diverged(),
                        .tolerated_f = run.final_value("tolerated_f")};
    const auto measuring = measuring_.find({sweep, cell.rule, cell.seed, study_.runs[cell.run].goal});
    if (measuring != measuring_.end()) {
      reference.success = study_.runs[closest_to(cell, measuring->second).run].final_value("asr");
    }
    return reference;
  }

 private:
  const StudyCell& closest_to(const StudyCell& cell, const std::vector<const StudyCell*>& candidates) const {
    const auto agreement = [&](const StudyCell* candidate) {
      int agreed = 0;
      for (std::size_t i = 0; i < cell.at.size(); ++i) agreed += cell.at[i] == candidate->at[i] ? 1 : 0;
      const bool same_f =
          study_.runs[candidate->run].final_value("tolerated_f") == study_.runs[cell.run].final_value("tolerated_f");
      return std::tuple(agreed, accuracy_of(study_, *candidate).has_value(), same_f);
    };
    return **std::ranges::max_element(candidates, {}, agreement);
  }

  const Study& study_;
  std::set<std::string> sweeps_with_clean_;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::vector<const StudyCell*>> measuring_;
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<const StudyCell*>> clean_;
  std::map<std::tuple<std::string, std::string, std::vector<std::string>>, std::vector<double>> finished_;
};

std::optional<double> mean_or_none(const std::vector<double>& values) {
  return values.empty() ? std::nullopt : std::optional(summarise(values).mean);
}

/// One rule under one attack at one place of the other axes: its seeds.
struct Setting {
  std::string sweep, rule, attack, place;
  /// Of the seeds that were compared; of diverged ones the reference alone.
  std::vector<double> references = {}, accuracies = {}, losses = {};
  std::vector<double> successes = {}, measured_clean = {};
  int diverged = 0, diverged_anyway = 0, other_f = 0;
  std::map<std::string, int> not_compared = {};
  std::optional<double> loss() const { return mean_or_none(losses); }
  std::optional<double> success() const { return mean_or_none(successes); }
  bool compared() const { return !losses.empty() || diverged > 0; }
  bool broken(const VerdictLimits& limits) const {
    return diverged > 0 || loss().value_or(0.0) >= limits.accuracy_loss ||
           success().value_or(0.0) >= limits.attack_success;
  }
  /// A smaller rank is worse: diverged, then by loss.
  std::pair<int, double> rank() const { return {diverged > 0 ? 0 : 1, -loss().value_or(-1.0)}; }
};

std::string reason_without_verdict(const StudyRun& run, bool has_accuracy) {
  if (!run.is_done()) return to_string(run.status);
  return has_accuracy ? "without a result to compare with" : "without a test of the model";
}

void add_cell(const Study& study, const StudyCell& cell, const Reference& reference, Setting& setting) {
  const StudyRun& run = study.runs[cell.run];
  const auto accuracy = accuracy_of(study, cell);
  const auto success = run.is_done() ? run.final_value("asr") : std::nullopt;
  if (success) setting.successes.push_back(*success - reference.success.value_or(0.0));
  if (success && reference.success) setting.measured_clean.push_back(*reference.success);
  const auto f = run.final_value("tolerated_f");
  if (f && reference.tolerated_f && *f != *reference.tolerated_f) ++setting.other_f;
  if (run.diverged() && reference.diverged) {
    ++setting.diverged_anyway;
  } else if (run.diverged()) {
    ++setting.diverged;
    if (reference.accuracy) setting.references.push_back(*reference.accuracy);
  } else if (accuracy && reference.accuracy) {
    setting.references.push_back(*reference.accuracy);
    setting.accuracies.push_back(*accuracy);
    setting.losses.push_back(*reference.accuracy - *accuracy);
  } else {
    ++setting.not_compared[reason_without_verdict(run, accuracy.has_value())];
  }
}

/// In the order of the study's cells.
std::vector<Setting> settings_under_attack(const Study& study, const References& references) {
  std::vector<Setting> settings;
  std::map<std::tuple<std::string, std::string, std::string, std::vector<std::string>>, std::size_t> places;
  for (const StudyCell& cell : study.cells) {
    if (!cell.attacked) continue;
    const std::string& sweep = study.runs[cell.run].sweep;
    const auto [place, is_new] = places.try_emplace({sweep, cell.rule, cell.attack, cell.at}, settings.size());
    if (is_new) {
      settings.push_back({.sweep = sweep, .rule = cell.rule, .attack = cell.attack, .place = study.place_text(cell)});
    }
    add_cell(study, cell, references.of(cell), settings[place->second]);
  }
  return settings;
}

void take_worst(const Setting& worst, RuleVerdict& verdict) {
  verdict.worst_attack = worst.attack;
  verdict.worst_setting = worst.place;
  verdict.worst_reference = mean_or_none(worst.references);
  if (worst.diverged > 0) return;
  verdict.worst_accuracy = mean_or_none(worst.accuracies);
  verdict.worst_loss = worst.loss();
}

RuleVerdict judge_rule(const std::string& rule, const std::vector<const Setting*>& settings,
                       const VerdictLimits& limits) {
  RuleVerdict verdict{.rule = rule};
  const Setting* worst = nullptr;
  for (const Setting* setting : settings) {
    ++verdict.settings;
    if (setting->broken(limits)) {
      ++verdict.broken;
    } else if (!setting->not_compared.empty()) {
      ++verdict.unfinished;
    }
    if (setting->diverged_anyway > 0) ++verdict.diverged_anyway;
    verdict.other_f += setting->other_f;
    for (const auto& [reason, cells] : setting->not_compared) verdict.not_compared[reason] += cells;
    if (setting->compared() && (worst == nullptr || setting->rank() < worst->rank())) worst = setting;
    const std::optional<double> success = setting->success();
    if (success.value_or(-1.0) > verdict.attack_success.value_or(-1.0)) {
      verdict.attack_success = success;
      verdict.measured_clean = mean_or_none(setting->measured_clean);
      verdict.strongest_backdoor = setting->attack;
      verdict.strongest_setting = setting->place;
    }
  }
  if (worst != nullptr) take_worst(*worst, verdict);
  if (verdict.broken > 0) {
    verdict.result = Result::broke;
  } else if (worst != nullptr) {
    verdict.result = verdict.unfinished > 0 ? Result::unfinished : Result::held;
  }
  return verdict;
}

/// Clean accuracies of a rule and of the plain mean, over the places and seeds that both have.
void take_price(const Study& study, RuleVerdict& verdict) {
  using Place = std::tuple<std::string, std::string, std::vector<std::string>>;
  std::map<Place, double> plain, own;
  for (const StudyCell& cell : study.cells) {
    const StudyRun& run = study.runs[cell.run];
    const auto accuracy = cell.clean ? accuracy_of(study, cell) : std::nullopt;
    if (!accuracy) continue;
    const Place place{run.sweep, cell.seed, cell.at};
    if (run.aggregator == "mean") plain.emplace(place, *accuracy);
    if (cell.rule == verdict.rule) own.emplace(place, *accuracy);
  }
  std::vector<double> accuracies, prices;
  for (const auto& [place, accuracy] : own) {
    const auto same = plain.find(place);
    if (same == plain.end()) continue;
    accuracies.push_back(accuracy);
    prices.push_back(same->second - accuracy);
  }
  verdict.clean_accuracy = mean_or_none(accuracies);
  verdict.price = mean_or_none(prices);
}

AttackVerdict judge_attack(const std::vector<const Setting*>& settings, const VerdictLimits& limits) {
  AttackVerdict verdict{.attack = settings.front()->attack, .sweep = settings.front()->sweep};
  std::vector<double> losses;
  for (const Setting* setting : settings) {
    verdict.broken += setting->broken(limits) ? 1 : 0;
    losses.insert(losses.end(), setting->losses.begin(), setting->losses.end());
    if (const auto success = setting->success()) {
      verdict.attack_success = std::max(verdict.attack_success.value_or(0.0), *success);
    }
  }
  verdict.mean_loss = mean_or_none(losses);
  return verdict;
}

/// Most harmful first; equal ones in the study's order.
std::vector<AttackVerdict> judge_attacks(const Study& study, const std::vector<Setting>& settings,
                                         const VerdictLimits& limits) {
  std::vector<AttackVerdict> verdicts;
  for (const std::string& attack : study.attacks) {
    std::map<std::string, std::vector<const Setting*>> by_sweep;
    for (const Setting& setting : settings) {
      if (setting.attack == attack) by_sweep[setting.sweep].push_back(&setting);
    }
    for (const auto& [sweep, own] : by_sweep) {
      verdicts.push_back(judge_attack(own, limits));
      if (!study.several_sweeps()) verdicts.back().sweep.clear();
    }
  }
  std::ranges::stable_sort(verdicts, [](const AttackVerdict& a, const AttackVerdict& b) {
    return std::pair(a.broken, a.mean_loss.value_or(-1.0)) > std::pair(b.broken, b.mean_loss.value_or(-1.0));
  });
  return verdicts;
}

}  // namespace

std::string why_not_compared(const RuleVerdict& rule) {
  std::vector<std::string> reasons;
  for (const auto& [reason, cells] : rule.not_compared) reasons.push_back(fmt::format("{} {}", cells, reason));
  std::string text = fmt::format("{}", fmt::join(reasons, ", "));
  if (rule.diverged_anyway > 0) {
    text += fmt::format("{}diverges without attack too in {} of {} settings", text.empty() ? "" : "; ",
                        rule.diverged_anyway, rule.settings);
  }
  return text;
}

StudyVerdict judge(const Study& study, const VerdictLimits& limits) {
  const References references(study);
  const std::vector<Setting> settings = settings_under_attack(study, references);
  StudyVerdict verdict;
  verdict.quality = study.quality_word();
  for (const StudyCell& cell : study.cells) {
    if (!cell.attacked) continue;
    const bool clean = references.are_clean_for(cell);
    verdict.against_clean = verdict.against_clean || clean;
    verdict.against_best = verdict.against_best || !clean;
  }
  for (const std::string& rule : study.rules) {
    std::vector<const Setting*> own;
    for (const Setting& setting : settings) {
      if (setting.rule == rule) own.push_back(&setting);
    }
    if (own.empty()) continue;
    verdict.rules.push_back(judge_rule(rule, own, limits));
    take_price(study, verdict.rules.back());
  }
  verdict.attacks = judge_attacks(study, settings, limits);
  return verdict;
}

}  // namespace souk
