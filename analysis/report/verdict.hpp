#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/report/study.hpp"

namespace souk {

/// What a rule must stand to have held. The only place where these numbers are; the page prints them.
struct VerdictLimits {
  double accuracy_loss = 0.10;   ///< it loses less accuracy than this, mean over seeds
  double attack_success = 0.20;  ///< and attacks succeed less often than this, mean over seeds, beyond what is measured
                                 ///< where nobody attacks
};

/// How a rule did. A setting is an attack and a value of every axis beside rule, attack and seed; a loss of accuracy is
/// the mean over seeds of the reference minus the accuracy at the end, both of the same seed and setting.
struct RuleVerdict {
  /// unfinished: held so far, but not everything was compared; unknown: nothing was.
  enum class Result : std::uint8_t { held, broke, unfinished, unknown };
  std::string rule;
  Result result = Result::unknown;
  std::string worst_attack = {};   ///< of the setting with the largest loss; a diverged one is worse than any
  std::string worst_setting = {};  ///< "fraction 0.3, alpha 0.1"; empty without further axes
  /// In it, over the same seeds: the reference, the accuracy, and their difference. A diverged one has no accuracy.
  std::optional<double> worst_reference = {}, worst_accuracy = {}, worst_loss = {};
  std::string strongest_backdoor = {};           ///< attack of the setting with the largest success rate
  std::string strongest_setting = {};            ///< values of the other axes there
  std::optional<double> attack_success = {};     ///< in it, less what is measured where nobody attacks
  std::optional<double> measured_clean = {};     ///< in it: this; none where no cell without attack measures it
  std::optional<double> clean_accuracy = {};     ///< without attack, mean over the cells that the plain mean has, too
  std::optional<double> price = {};              ///< what the plain mean has more there; none without such cells
  int other_f = 0;                               ///< cells compared with one that ran with another tolerated_f
  int settings = 0;                              ///< under attack
  int broken = 0;                                ///< of them: over a limit, or diverged
  int unfinished = 0;                            ///< of them: none over a limit so far, but some seed was not compared
  int diverged_anyway = 0;                       ///< of them: some seed diverges without attack too, and does not count
  std::map<std::string, int> not_compared = {};  ///< cells by the reason: "failed", "missing", …
};

/// "12 failed, 2 missing; diverges without attack too in 1 of 4 settings"; empty where everything was compared.
std::string why_not_compared(const RuleVerdict& rule);

/// What attacks did to all rules together.
struct AttackVerdict {
  std::string attack;
  std::string sweep = {};                     ///< of several; an attack may be another one there
  std::optional<double> mean_loss = {};       ///< over all rules, settings and seeds
  std::optional<double> attack_success = {};  ///< largest mean over seeds
  int broken = 0;                             ///< settings of a rule that it broke
};

struct StudyVerdict {
  std::string quality = "accuracy";  ///< what is compared, in words
  /// What references are: cells without attack of the same sweep; in sweeps that have none, the best quality at the
  /// end that any rule reached under any attack with the same seed and setting.
  bool against_clean = false, against_best = false;
  std::vector<RuleVerdict> rules;      ///< in the study's order
  std::vector<AttackVerdict> attacks;  ///< most harmful first: by settings broken, then by mean loss
};

/// Rules that no attack was tried on are left out.
StudyVerdict judge(const Study& study, const VerdictLimits& limits);

}  // namespace souk
