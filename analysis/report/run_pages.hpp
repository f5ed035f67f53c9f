#pragma once

#include <string>

#include "analysis/database.hpp"
#include "analysis/report/study.hpp"

namespace souk {

/// What the page of a single run shows, for every run, as one JSON object: facts, scenario, curves, clients, classes.
/// Equal scenarios' clients and deals are stored once. Beyond `most_client_rows` clients of all runs together the rest
/// is left out and said so.
std::string run_pages_json(const Study& study, const Database& view);

/// The specification of a run's curves, over data with columns place (order of the metrics), metric, round, value.
std::string run_curve_spec();
/// The same of its deal: client × class.
std::string deal_spec();

inline constexpr std::int64_t most_client_rows = 60000;

}  // namespace souk
