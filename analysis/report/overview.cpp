#include "analysis/report/overview.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/metrics/metric.hpp"
#include "analysis/report/figures.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using vega::Json;
using Result = RuleVerdict::Result;

Json card(const std::string& title, const std::string& kind, const std::vector<std::string>& lines) {
  return {{"title", title}, {"kind", kind}, {"lines", lines}};
}

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{} %", percent_points(*share)) : "–";
}

std::string in_setting(const std::string& attack, const std::string& setting) {
  return setting.empty() ? attack : fmt::format("{} ({})", attack, setting);
}

/// "krum: 84.3 → 81.2 % under alie": the reference and what is left of it; and the success of attacks over the limit.
std::string how_it_did(const RuleVerdict& rule, const std::string& quality, const VerdictLimits& limits) {
  std::string text = rule.rule + ": ";
  if (rule.worst_attack.empty()) {
    text += fmt::format("no loss of {} known", quality);
  } else if (rule.worst_loss) {
    text += fmt::format("{} → {} under {}", percent_points(*rule.worst_reference), percent(rule.worst_accuracy),
                        in_setting(rule.worst_attack, rule.worst_setting));
  } else {
    text += fmt::format("diverges under {}", in_setting(rule.worst_attack, rule.worst_setting));
  }
  if (rule.attack_success.value_or(0.0) >= limits.attack_success) {
    text += fmt::format(
        "; {} succeeds in {} of its tries{}", in_setting(rule.strongest_backdoor, rule.strongest_setting),
        percent(rule.attack_success),
        rule.measured_clean ? fmt::format(" beyond the {} without attack", percent(rule.measured_clean)) : "");
  }
  if (rule.price && *rule.price >= 0.001) {
    text += fmt::format("; without attack {}, {:.1f} points less than the mean", percent(rule.clean_accuracy),
                        100.0 * *rule.price);
  }
  if (rule.other_f > 0) {
    text += fmt::format("; {} compared with one of another tolerated_f",
                        rule.other_f == 1 ? "1 cell" : fmt::format("{} cells", rule.other_f));
  }
  if (const std::string reasons = why_not_compared(rule); !reasons.empty()) text += "; not compared: " + reasons;
  return text;
}

bool is_open(const RuleVerdict& rule) { return rule.result == Result::unknown || rule.result == Result::unfinished; }

Json held_card(const StudyVerdict& verdict, const VerdictLimits& limits) {
  std::vector<std::string> lines;
  for (const RuleVerdict& rule : verdict.rules) {
    const bool so_far = rule.result == Result::unfinished;
    if (rule.result == Result::held || so_far)
      lines.push_back(how_it_did(rule, verdict.quality, limits) + (so_far ? " (so far)" : ""));
  }
  if (lines.empty()) {
    lines.emplace_back(std::ranges::any_of(verdict.rules, is_open) ? "No rule, so far."
                                                                   : "No rule withstood every attack.");
  }
  return card("What held", "good", lines);
}

/// Rules of which nothing can be said.
std::optional<Json> unknown_card(const StudyVerdict& verdict) {
  std::vector<std::string> lines;
  for (const RuleVerdict& rule : verdict.rules) {
    if (rule.result == Result::unknown) {
      lines.push_back(fmt::format("{}: nothing to compare ({})", rule.rule, why_not_compared(rule)));
    }
  }
  return lines.empty() ? std::nullopt : std::optional(card("What is not known", "unknown", lines));
}

Json broke_card(const StudyVerdict& verdict, const VerdictLimits& limits) {
  std::vector<const RuleVerdict*> broken;
  for (const RuleVerdict& rule : verdict.rules) {
    if (rule.result == Result::broke) broken.push_back(&rule);
  }
  const auto harm = [](const RuleVerdict* rule) { return rule->worst_loss.value_or(2.0); };
  std::ranges::stable_sort(broken, std::greater(), harm);
  std::vector<std::string> lines;
  for (const RuleVerdict* rule : broken) lines.push_back(how_it_did(*rule, verdict.quality, limits));
  if (lines.empty()) {
    lines.emplace_back(std::ranges::any_of(verdict.rules, is_open) ? "Nothing, so far." : "Nothing.");
  }
  if (!verdict.attacks.empty() && verdict.attacks.front().mean_loss && !broken.empty()) {
    const AttackVerdict& worst = verdict.attacks.front();
    lines.push_back(fmt::format("Most harmful: {}, with {} broken and {:.1f} points lost on average.",
                                worst.sweep.empty() ? worst.attack : fmt::format("{} of {}", worst.attack, worst.sweep),
                                worst.broken == 1 ? "1 setting" : fmt::format("{} settings", worst.broken),
                                100.0 * *worst.mean_loss));
  }
  return card("What broke", "bad", lines);
}

std::string bytes_words(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes * 1e-6) : fmt::format("{:.2f} GB", bytes * 1e-9);
}

/// A number of a rule, of several sweeps in one of them.
using RuleNumber = std::pair<double, std::string>;

/// Smallest and largest rule by the mean of a quantity over its finished runs; nothing of fewer than two rules.
std::optional<std::pair<RuleNumber, RuleNumber>> extreme_rules(
    const Study& study, const std::function<std::optional<double>(const StudyRun&)>& quantity) {
  std::map<std::string, std::map<std::size_t, double>> values;
  for (const StudyCell& cell : study.cells) {
    const StudyRun& run = study.runs[cell.run];
    const auto value = run.is_done() ? quantity(run) : std::nullopt;
    if (!value) continue;
    const std::string rule = study.several_sweeps() ? fmt::format("{} of {}", cell.rule, cell.at.front()) : cell.rule;
    values[rule][cell.run] = *value;
  }
  std::vector<RuleNumber> means;
  for (const auto& [rule, of_runs] : values) {
    std::vector<double> numbers;
    for (const auto& [run, value] : of_runs) numbers.push_back(value);
    means.emplace_back(summarise(numbers).mean, rule);
  }
  if (means.size() < 2) return std::nullopt;
  const auto [least, most] = std::ranges::minmax(means);
  return std::pair(least, most);
}

std::optional<std::string> rule_times(const Study& study) {
  const auto rules = extreme_rules(study, [](const StudyRun& run) { return run.seconds; });
  if (!rules) return std::nullopt;
  const auto& [fastest, slowest] = *rules;
  return fmt::format("A run takes {} under {}, {} under {}.", duration_words(fastest.first), fastest.second,
                     duration_words(slowest.first), slowest.second);
}

std::string credit_words(double credits) {
  return credits < 1000.0 ? fmt::format("{:.4g}", credits) : fmt::format("{:.0f}", credits);
}

/// Of what clients were paid; of a run that has attackers and paid somebody.
std::optional<double> share_of_attackers(const StudyRun& run) {
  const bool has_share = run.malicious.value_or(0.0) > 0.0 && run.paid.value_or(0.0) > 0.0;
  return has_share ? std::optional(run.paid_to_attackers / *run.paid) : std::nullopt;
}

/// What clients were paid, and how much of it went to attackers in the runs that had any.
std::vector<std::string> market_lines(const Study& study) {
  std::vector<double> paid;
  double paid_under_attack = 0.0, to_attackers = 0.0;
  for (const StudyRun& run : study.runs) {
    if (!study.counts(run) || !run.paid) continue;
    paid.push_back(*run.paid);
    if (!share_of_attackers(run)) continue;
    paid_under_attack += *run.paid;
    to_attackers += run.paid_to_attackers;
  }
  if (paid.empty()) return {};
  std::string text = fmt::format("{} credits paid to clients{}", credit_words(summarise(paid).mean),
                                 study.runs.size() == 1 ? "" : " per run with a market");
  if (paid_under_attack > 0.0) {
    text += fmt::format("; {} of them to attackers{}", percent(to_attackers / paid_under_attack),
                        study.runs.size() == 1 ? "" : ", where there were any");
  }
  std::vector<std::string> lines{text + "."};
  if (const auto rules = extreme_rules(study, share_of_attackers)) {
    const auto& [least, most] = *rules;
    lines.push_back(fmt::format("Attackers got {} under {}, {} under {}.", percent(least.first), least.second,
                                percent(most.first), most.second));
  }
  return lines;
}

/// "first: accuracy 87.1 %, attack success 0.1 %, 3.0 % of its money to attackers": means over runs under attack.
std::string buyer_line(const Study& study, const std::string& buyer) {
  const std::string prefix = buyer.empty() ? "" : fmt::format("buyer.{}.", buyer);
  const auto mean = [&](const std::string& metric) -> std::optional<double> {
    std::vector<double> values;
    for (const StudyRun& run : study.runs) {
      const bool attacked = run.malicious.value_or(0.0) > 0.0;
      const auto value = study.counts(run) && attacked ? run.final_value(prefix + metric) : std::nullopt;
      if (value) values.push_back(*value);
    }
    return values.empty() ? std::nullopt : std::optional(summarise(values).mean);
  };
  return fmt::format("{}: {} {}, attack success {}, {} of its money to attackers", buyer.empty() ? "first" : buyer,
                     study.quality_word(), percent(mean(study.quality())), percent(mean("asr")),
                     percent(mean(malicious_income_share)));
}

/// Where there are several buyers: what verdicts, which are about the first one's model, do not say.
std::optional<Json> buyers_card(const Study& study) {
  if (study.rivals.empty()) return std::nullopt;
  std::vector<std::string> lines{buyer_line(study, "")};
  for (const std::string& rival : study.rivals) lines.push_back(buyer_line(study, rival));
  lines.emplace_back("Means over runs under attack. Verdicts are about the first buyer's model.");
  return card("What every buyer got", "cost", lines);
}

/// "1 crashed, 5 done".
std::string counts_text(const std::map<RunStatus, int>& states) {
  std::string text;
  for (const auto& [state, count] : states) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, to_string(state));
  }
  return text;
}

Json cost_card(const Study& study) {
  double seconds = 0.0, bytes = 0.0;
  std::map<RunStatus, int> states;
  for (const StudyRun& run : study.runs) {
    seconds += run.seconds.value_or(0.0);
    bytes += run.bytes.value_or(0.0);
    ++states[run.status];
  }
  std::vector<std::string> lines;
  if (study.runs.size() == 1) {
    lines.push_back(fmt::format("{} of computing, {} sent.", duration_words(seconds), bytes_words(bytes)));
    const StudyRun& run = study.runs.front();
    lines.push_back(fmt::format("{} rounds; the run is {}{}.", run.rounds_done, to_string(run.status),
                                run.reason.empty() ? "" : " (" + run.reason + ")"));
  } else {
    lines.push_back(
        fmt::format("{} of computing and {} sent, all runs together.", duration_words(seconds), bytes_words(bytes)));
    lines.push_back(
        fmt::format("{} cells in {} runs: {}.", study.cells.size(), study.runs.size(), counts_text(states)));
    if (const auto times = rule_times(study)) lines.push_back(*times);
  }
  const std::vector<std::string> credits = market_lines(study);
  lines.insert(lines.begin() + 1, credits.begin(), credits.end());
  return card("What it cost", "cost", lines);
}

/// The setting that is best by validation data, where all have some, for the test is no judge of what was tuned on
/// it.
std::optional<std::string> best_setting(const Study& study) {
  std::vector<SeedGroup> groups = seed_groups(study, RunsTaken::ended);
  std::erase_if(groups, [&](const SeedGroup& group) { return !mean_of(study, group, study.quality()); });
  if (groups.empty()) return std::nullopt;
  const auto has_validation = [&](const SeedGroup& group) {
    return mean_of(study, group, "validation_" + study.quality()).has_value();
  };
  const bool validated = std::ranges::all_of(groups, has_validation);
  const auto quality = [&](const SeedGroup& group) {
    return *mean_of(study, group, (validated ? "validation_" : "") + study.quality());
  };
  const SeedGroup& best = *std::ranges::max_element(groups, {}, quality);
  const std::string place = study.place_text(best.cell);
  const std::string word = study.quality_word();
  return fmt::format(
      "Best by {}: {}{}, with a test {} of {}{}, mean of {} run{}.",
      validated ? "validation " + word : fmt::format("test {} (no validation data, so it flatters)", word),
      best.cell.rule, place.empty() ? "" : ", " + place, word, percent(mean_of(study, best, study.quality())),
      validated ? fmt::format(" (validation {})", percent(quality(best))) : "", best.runs.size(),
      best.runs.size() == 1 ? "" : "s");
}

/// Of a study of one run.
std::vector<std::string> result_lines(const Study& study) {
  std::vector<std::string> lines;
  const StudyRun& run = study.runs.front();
  for (const std::string& metric : study.of_every_buyer(metrics_shown_in("overview"))) {
    const auto value = study.counts(run) ? run.final_value(metric) : std::nullopt;
    if (!value) continue;
    lines.push_back(vega::is_share(metric) ? fmt::format("{}: {}", vega::title_of(metric), percent_points(*value))
                                           : fmt::format("{}: {:.3g}", vega::title_of(metric), *value));
  }
  return lines;
}

/// Where no attack was tried: what was reached.
Json result_card(const Study& study) {
  std::vector<std::string> lines;
  if (study.runs.size() == 1) {
    lines = result_lines(study);
  } else if (const auto best = best_setting(study)) {
    lines.push_back(*best);
  }
  if (lines.empty()) lines.emplace_back("No run has a result.");
  return card(study.has_unfinished() ? "What was reached so far" : "What was reached", "good", lines);
}

std::string reference_words(const StudyVerdict& verdict) {
  const std::string clean =
      "the cell without attack of the same rule, seed and setting (where there is none, of the most similar setting), "
      "both after the last test";
  const std::string best = fmt::format(
      "the best {} after the last test of any rule under any attack with the same seed and setting, for there "
      "are no cells without attack: losses are underestimated",
      verdict.quality);
  if (!verdict.against_best) return clean;
  return verdict.against_clean ? clean + "; in a sweep without such cells, " + best : best;
}

std::vector<std::string> definitions(const StudyVerdict& verdict, const VerdictLimits& limits) {
  if (verdict.rules.empty()) return {};
  return {fmt::format(
      "A rule held if in every setting (an attack with a value of every other axis) it lost less than {:.0f} points of "
      "{} and the attack succeeded in less than {:.0f} % of its tries, as means over seeds of finished runs; a "
      "setting with a run that diverges is broken, unless that run diverges without attack too. Above: {} before "
      "→ under the attack that costs most. Before is {}. Success is counted beyond what a cell measures in which the "
      "same attackers never act, where there is one.",
      100.0 * limits.accuracy_loss, verdict.quality, 100.0 * limits.attack_success, verdict.quality,
      reference_words(verdict))};
}

/// How runs that have not ended are taken.
std::optional<std::string> unfinished_words(const Study& study) {
  std::map<RunStatus, int> states;
  for (const StudyRun& run : study.runs) {
    if (run.unfinished()) ++states[run.status];
  }
  if (states.empty()) return std::nullopt;
  if (study.runs.size() == 1) return "The run has not ended: numbers are as of its last round.";
  return fmt::format(
      "Not all runs have ended ({}): these are in curves over rounds as far as they got, and in no other "
      "number.",
      counts_text(states));
}

}  // namespace

std::string duration_words(double seconds) {
  if (seconds < 1.0) return fmt::format("{:.0f} ms", 1000.0 * seconds);
  if (seconds < 60.0) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

/// As the page's tables have it: of the digits that its data have, halves away from zero.
std::string percent_points(double share) {
  double points = std::stod(fmt::format("{:.6g}", 100.0 * share));
  const bool half = std::fmod(std::abs(points) * 4.0, 2.0) == 1.0;  // x.25 or x.75, exactly
  if (half) points = std::nextafter(points, points < 0.0 ? -1e9 : 1e9);
  return fmt::format("{:.1f}", points);
}

std::string overview_json(const Study& study, const StudyVerdict& verdict, const VerdictLimits& limits) {
  Json cards = Json::array();
  if (verdict.rules.empty() || study.runs.size() == 1) {
    cards.push_back(result_card(study));
  } else {
    cards.push_back(held_card(verdict, limits));
    cards.push_back(broke_card(verdict, limits));
    if (auto unknown = unknown_card(verdict)) cards.push_back(std::move(*unknown));
  }
  if (auto buyers = buyers_card(study)) cards.push_back(std::move(*buyers));
  cards.push_back(cost_card(study));
  Json texts = study.runs.size() == 1 ? std::vector<std::string>{} : definitions(verdict, limits);
  if (const auto words = unfinished_words(study)) texts.push_back(*words);
  const bool long_runs = std::ranges::any_of(
      study.runs, [](const StudyRun& run) { return run.rounds_done > static_cast<std::int64_t>(most_points); });
  if (long_runs) {
    texts.push_back(
        fmt::format("Curves of more than {} tests are drawn with {} of them, evenly chosen, first and last "
                    "included.",
                    most_points, most_points));
  }
  const Json overview = {{"cards", cards}, {"definitions", texts}};
  return overview.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace souk
