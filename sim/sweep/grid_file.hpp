#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/condition.hpp"

namespace souk {

/// "path=value", and where it was written: "grid.textproto:3:7".
struct GridSetting {
  std::string text;
  std::string place;
};

/// A value of an axis: its label, and what it sets.
struct AxisValue {
  std::string label;
  std::vector<GridSetting> set{};
};

struct GridAxis {
  std::string name{};
  std::vector<AxisValue> values;
  std::string path{};   ///< of the field it sets; empty where its values are sets of changes
  std::string place{};  ///< where it was written
};

/// Axes that move in step, all of one length; mostly a single one.
using GridFactor = std::vector<GridAxis>;

/// Settings for the combinations that meet a condition.
struct GridChange {
  Condition where;
  std::vector<GridSetting> set{};
};

/// One product of factors.
struct GridBlock {
  std::string name{};
  std::vector<GridSetting> set{};
  std::vector<GridFactor> factors{};
  std::vector<Condition> where{};
  std::vector<GridChange> changes{};
};

/// A grid as its files say it, included ones merged (schema: scenarios/sweep.proto).
struct Grid {
  std::filesystem::path file{};
  std::string name{};
  std::filesystem::path base{};     ///< the scenario file
  std::string base_text{};          ///< and what is in it
  GridBlock common{};               ///< part of every block
  std::vector<GridBlock> blocks{};  ///< none: `common` alone
  std::vector<std::uint64_t> seeds{};
  std::uint32_t repeat = 0;
  bool independent = false;  ///< random numbers of cells
  std::uint32_t retries = 0;
  double timeout = 0.0;  ///< seconds; 0: none
};

/// Reads a grid, what it includes, and its base. Throws one InputError that lists what is wrong in a file.
Grid load_grid(const std::filesystem::path& file);

}  // namespace souk
