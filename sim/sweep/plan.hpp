#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/sweep/grid_file.hpp"

namespace souk {

class Archive;

/// One combination of a grid.
struct Cell {
  std::string block{};
  std::vector<std::pair<std::string, std::string>> coordinates{};  ///< (axis, label), the seed last
  std::vector<GridSetting> settings{};                             ///< that make it from the base, in order
  std::size_t run = 0;                                             ///< of SweepPlan::runs
};

/// A scenario to run: that of one cell, or of several that come to the same, such as "no attack" under every share of
/// malicious clients.
struct PlannedRun {
  std::string scenario;       ///< resolved text
  std::string scenario_hash;  ///< identity_of
  std::string identity{};     ///< run_identity; empty until the data set is known
  std::string id() const { return identity.substr(0, 12); }
  std::size_t first_cell = 0;
};

/// A grid, expanded in a fixed order: blocks in their order, the last axis fastest, the seed fastest of all.
struct SweepPlan {
  std::string name;
  std::filesystem::path base;
  std::vector<GridAxis> axes;  ///< every axis of the grid with its labels, in order of first mention; the seed last
  std::vector<Cell> cells;
  std::vector<PlannedRun> runs;  ///< in the order of their first cells
};

/// Expands and resolves every cell. Throws one InputError that lists every error once, with the place in the grid that
/// caused it.
SweepPlan expand(const Grid& grid);

/// Sends what rank 0 knows of the runs and cells to a process that has no file to read it from.
void serialize(Archive& archive, SweepPlan& plan);

/// What a run's result depends on: SHA-256 of the canonical scenario's hash, the data set's content and the version of
/// the results' schema.
std::string run_identity(const std::string& scenario_hash, const std::string& data_hash, int results_version);

/// The value of an axis of the cell, or else of a field of its scenario (value_at).
std::optional<std::string> value_of(const SweepPlan& plan, const Cell& cell, const std::string& name);

/// Throws InputError where the condition compares an axis with a value that it does not have: a typing error, which
/// would silently match nothing, or everything.
void require_known_values(const SweepPlan& plan, const Condition& condition);
/// Throws InputError where the comparison is with none of the values of its axis.
void require_value_of_axis(const Condition::Comparison& comparison, const std::vector<std::string>& values);

/// "aggregator=krum attack=alie seed=1".
std::string coordinates_text(const Cell& cell);

}  // namespace souk
