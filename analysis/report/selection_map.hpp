#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/report/data_set.hpp"
#include "analysis/report/figure.hpp"
#include "analysis/report/study.hpp"

namespace souk {

/// Who was accepted and rejected when, in one run: a field per client and round, or several of either.
struct SelectionMap {
  /// buyer, clients, side, place, begin, end, rounds, asked, judged, accepted, weight: fields that somebody was asked
  /// in. `place` orders the clients, malicious ones first; begin to end is where the field lies on the axis of rounds.
  DataSet data;
  std::string note;        ///< how much a field is, where that is not one client and one round
  bool weighed = false;    ///< whether the rule gives weights
  std::size_t height = 0;  ///< of the drawing, in pixels
};

/// Of run number `run`; without rows where nobody was ever asked.
SelectionMap selection_map(const Database& view, const Study& study, std::int64_t run);

/// Specifications over such data, for any run of the study: the share of updates that were accepted, and the mean
/// weight.
std::string decision_map_spec(const Study& study);
std::string weight_map_spec(const Study& study);

/// What the two are called, and what they say.
inline const std::string decision_map_title = "Who was accepted and rejected when";
inline const std::string decision_map_note =
    "Every client in every round, malicious ones first and marked at the left. Orange: rejected (or outbid, or "
    "invalid), "
    "blue: accepted; grey: asked, but nothing arrived that could be judged; empty: not asked.";
inline const std::string weight_map_title = "Who had how much weight when";
inline const std::string weight_map_note =
    "The share of a client's update in the step of a round in which it was asked; grey: the rule gives no weights.";

/// Both maps as figures of a report about one run.
std::vector<Figure> selection_maps(const Study& study, const Database& view);

/// Beyond this many fields in all runs of a page together, further runs have no map.
inline constexpr std::size_t most_map_fields = 200'000;

}  // namespace souk
