#pragma once

#include <string>

#include "analysis/report/study.hpp"
#include "analysis/report/verdict.hpp"

namespace souk {

/// The first screen as JSON: {"cards":[{"title","kind","lines":[…]}],"definitions":[…]}. What held, what broke and what
/// it cost, where attacks were tried on rules; else what was reached.
std::string overview_json(const Study& study, const StudyVerdict& verdict, const VerdictLimits& limits);

/// A share in percent with one decimal, rounded as the page's tables are: "73.5".
std::string percent_points(double share);

/// "20 ms", "1.5 s", "2 min 5 s", "3 h 20 min".
std::string duration_words(double seconds);

}  // namespace souk
