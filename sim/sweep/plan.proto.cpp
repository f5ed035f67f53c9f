#include "sim/sweep/plan.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <fmt/ranges.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

using Coordinates = std::vector<std::pair<std::string, std::string>>;

const std::string* find(const Coordinates& coordinates, const std::string& axis) {
  for (const auto& [name, label] : coordinates) {
    if (name == axis) return &label;
  }
  return nullptr;
}

/// The value of an axis of the cell, or else of a field of its scenario, which is asked for only then.
template <class Scenario>
std::optional<std::string> look_up(const std::vector<GridAxis>& axes, const Coordinates& coordinates,
                                   const std::string& name, Scenario scenario) {
  if (const std::string* label = find(coordinates, name)) return *label;
  std::vector<std::string> names;
  for (const GridAxis& axis : axes) names.push_back(axis.name);
  if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;  // of another block
  const scenario::Scenario* found = scenario();
  if (found == nullptr) return std::nullopt;
  try {
    return value_at(*found, name);
  } catch (const InputError& error) {
    throw_input_error("{} Nor is it one of the axes, {}.{}", error.what(), fmt::join(names, ", "),
                      did_you_mean(name, names));
  }
}

/// An error of resolve_scenario with the place in the grid of the setting that caused it.
std::string placed(std::string error, const std::vector<GridSetting>& settings) {
  if (error.rfind("--set ", 0) == 0) error.erase(0, 6);
  const std::string path = error.substr(0, error.find_first_of(" :"));
  for (auto setting = settings.rbegin(); setting != settings.rend(); ++setting) {
    if (covers_field(setting->text.substr(0, setting->text.find('=')), path)) {
      return fmt::format("{}: {}", setting->place, error);
    }
  }
  return error;
}

class Expansion {
 public:
  explicit Expansion(const Grid& grid) : grid_(grid) {
    plan_.name = grid.name;
    plan_.base = grid.base;
    seeds_ = grid.seeds;
    if (seeds_.empty()) count_seeds();
  }

  SweepPlan expand() {
    std::vector<const GridBlock*> blocks;  // conditions of one may name axes of another
    for (const GridBlock& block : grid_.blocks) blocks.push_back(&block);
    if (blocks.empty()) blocks.push_back(nullptr);
    require_few(blocks);
    for (const GridBlock* block : blocks) note_axes(factors_of(block));
    require_known_values_in(grid_.common);
    for (const GridBlock& block : grid_.blocks) require_known_values_in(block);
    for (const GridBlock* block : blocks) add_block(block);
    GridAxis seeds{.name = "seed", .values = {}};
    for (const std::uint64_t seed : seeds_) seeds.values.push_back({std::to_string(seed), {}});
    plan_.axes.push_back(std::move(seeds));
    if (!errors_.empty()) throw InputError(fmt::format("{}", fmt::join(errors_, "\n")));
    SOUK_REQUIRE(!plan_.cells.empty(), "{}: no combination meets the conditions", grid_.file.string());
    return std::move(plan_);
  }

 private:
  void count_seeds() {
    const ResolvedScenario base = resolve_scenario({grid_.base.string(), grid_.base_text, {}});
    for (std::uint64_t i = 0; i < std::max(1U, grid_.repeat); ++i) seeds_.push_back(base.scenario->seed() + i);
  }

  /// Before memory or patience run out.
  void require_few(const std::vector<const GridBlock*>& blocks) const {
    constexpr double most = 100000.0;
    double cells = 0.0;
    for (const GridBlock* block : blocks) {
      double combinations = static_cast<double>(seeds_.size());
      for (const GridFactor* factor : factors_of(block))
        combinations *= static_cast<double>(factor->front().values.size());
      cells += combinations;
    }
    SOUK_REQUIRE(cells <= most, "{}: the axes and seeds have {} combinations; a sweep takes at most {}",
                 grid_.file.string(), cells, most);
  }

  void require_known_values_in(const GridBlock& block) const {
    for (const Condition& condition : block.where) require_known_values(plan_, condition);
    for (const GridChange& change : block.changes) require_known_values(plan_, change.where);
  }

  std::vector<const GridFactor*> factors_of(const GridBlock* block) const {
    std::vector<const GridFactor*> factors;
    for (const GridFactor& factor : grid_.common.factors) factors.push_back(&factor);
    if (block != nullptr) {
      for (const GridFactor& factor : block->factors) factors.push_back(&factor);
    }
    return factors;
  }

  void note_axes(const std::vector<const GridFactor*>& factors) {
    std::set<std::string> names;
    std::vector<std::string> paths;
    for (const GridFactor* factor : factors) {
      for (const GridAxis& axis : *factor) {
        SOUK_REQUIRE(names.insert(axis.name).second, "{}: two axes are called '{}'", axis.place, axis.name);
        note_axis(axis);
        if (axis.path.empty()) continue;
        const auto undone = [&](const std::string& path) { return covers_field(axis.path, path); };
        SOUK_REQUIRE(std::none_of(paths.begin(), paths.end(), undone),
                     "{}: axis '{}' sets {} again, after another axis", axis.place, axis.name, axis.path);
        paths.push_back(axis.path);
      }
    }
  }

  void add_block(const GridBlock* block) {
    Cell cell{.block = block == nullptr ? "" : block->name, .settings = grid_.common.set};
    if (block != nullptr) cell.settings.insert(cell.settings.end(), block->set.begin(), block->set.end());
    combine(factors_of(block), 0, cell, block);
  }

  /// The order of tables is the order of first mention.
  void note_axis(const GridAxis& axis) {
    const auto same = [&](const GridAxis& known) { return known.name == axis.name; };
    auto known = std::find_if(plan_.axes.begin(), plan_.axes.end(), same);
    if (known == plan_.axes.end()) known = plan_.axes.insert(known, GridAxis{axis.name, {}, axis.path, axis.place});
    for (const AxisValue& value : axis.values) {
      const bool there = std::any_of(known->values.begin(), known->values.end(),
                                     [&](const AxisValue& other) { return other.label == value.label; });
      if (!there) known->values.push_back(value);
    }
  }

  void combine(const std::vector<const GridFactor*>& factors, std::size_t at, const Cell& cell,
               const GridBlock* block) {
    if (at == factors.size()) return add_combination(cell, block);
    const GridFactor& factor = *factors[at];
    for (std::size_t v = 0; v < factor.front().values.size(); ++v) {
      Cell next = cell;
      for (const GridAxis& axis : factor) {
        const AxisValue& value = axis.values[v];
        next.coordinates.emplace_back(axis.name, value.label);
        next.settings.insert(next.settings.end(), value.set.begin(), value.set.end());
      }
      combine(factors, at + 1, next, block);
    }
  }

  /// One combination of the axes, under every seed.
  void add_combination(const Cell& cell, const GridBlock* block) {
    const std::string combination = coordinates_text(cell);
    for (const std::uint64_t seed : seeds_) {
      Cell seeded = cell;
      seeded.coordinates.emplace_back("seed", std::to_string(seed));
      seeded.settings.push_back(
          {fmt::format("seed={}", grid_.independent ? own_seed(seed, combination, block) : seed), "seeds"});
      const std::optional<std::vector<GridSetting>> changes = changes_of(seeded, block);
      if (!changes) continue;
      seeded.settings.insert(seeded.settings.end() - 1, changes->begin(), changes->end());  // the seed stays as it is
      add_cell(std::move(seeded));
    }
  }

  /// What conditions change in a cell; nothing where they leave it out.
  std::optional<std::vector<GridSetting>> changes_of(const Cell& cell, const GridBlock* block) {
    std::optional<ResolvedScenario> resolved;  // only where a condition asks for it: it may be one that is left out
    const auto value = [&](const std::string& name) -> std::optional<std::string> {
      return look_up(plan_.axes, cell.coordinates, name, [&] {
        if (!resolved) resolved = resolve(cell);
        return resolved ? resolved->scenario.get() : nullptr;
      });
    };
    std::vector<GridSetting> changes;
    for (const GridBlock* part : {&grid_.common, block}) {
      if (part == nullptr) continue;
      if (!all_match(part->where, value)) return std::nullopt;
      for (const GridChange& change : part->changes) {
        if (change.where.matches(value)) changes.insert(changes.end(), change.set.begin(), change.set.end());
      }
    }
    return changes;
  }

  /// Combinations of two blocks are as different as what their blocks set.
  static std::uint64_t own_seed(std::uint64_t seed, const std::string& combination, const GridBlock* block) {
    std::string text = fmt::format("{} {}", seed, combination);
    if (block != nullptr) {
      for (const GridSetting& setting : block->set) text += " " + setting.text;
      for (const GridChange& change : block->changes) {
        for (const GridSetting& setting : change.set) text += " " + setting.text;
      }
    }
    return std::stoull(sha256_hex(text).substr(0, 15), nullptr, 16);
  }

  void add_cell(Cell cell) {
    const std::optional<ResolvedScenario> resolved = resolve(cell);
    if (!resolved) return;
    const std::string hash = identity_of(*resolved->scenario);
    const auto [known, fresh] = runs_.emplace(hash, plan_.runs.size());
    if (fresh) plan_.runs.push_back({to_text(*resolved->scenario), hash, "", plan_.cells.size()});
    cell.run = known->second;
    plan_.cells.push_back(std::move(cell));
  }

  std::optional<ResolvedScenario> resolve(const Cell& cell) {
    ScenarioSource source{grid_.base.string(), grid_.base_text, {}};
    for (const GridSetting& setting : cell.settings) source.overrides.push_back(setting.text);
    try {
      return resolve_scenario(source);
    } catch (const InputError& error) {
      std::istringstream lines(error.what());
      for (std::string line; std::getline(lines, line);) note_error(placed(line, cell.settings));
      return std::nullopt;
    }
  }

  void note_error(const std::string& error) {
    if (std::find(errors_.begin(), errors_.end(), error) == errors_.end()) errors_.push_back(error);
  }

  const Grid& grid_;
  SweepPlan plan_;
  std::vector<std::uint64_t> seeds_;
  std::map<std::string, std::size_t> runs_;  ///< by scenario hash
  std::vector<std::string> errors_;
};

}  // namespace

SweepPlan expand(const Grid& grid) { return Expansion(grid).expand(); }

void serialize(Archive& archive, SweepPlan& plan) {
  std::int64_t runs = static_cast<std::int64_t>(plan.runs.size());
  archive.field("runs", runs);
  plan.runs.resize(static_cast<std::size_t>(runs));
  for (PlannedRun& run : plan.runs) {
    std::int64_t cell = static_cast<std::int64_t>(run.first_cell);
    archive.field("scenario", run.scenario);
    archive.field("hash", run.scenario_hash);
    archive.field("first cell", cell);
    run.first_cell = static_cast<std::size_t>(cell);
  }
  std::int64_t cells = static_cast<std::int64_t>(plan.cells.size());
  archive.field("cells", cells);
  plan.cells.resize(static_cast<std::size_t>(cells));
  for (Cell& cell : plan.cells) {
    std::int64_t axes = static_cast<std::int64_t>(cell.coordinates.size());
    archive.field("axes", axes);
    cell.coordinates.resize(static_cast<std::size_t>(axes));
    for (auto& [axis, label] : cell.coordinates) {
      archive.field("axis", axis);
      archive.field("label", label);
    }
  }
}

std::string run_identity(const std::string& scenario_hash, const std::string& data_hash, int results_version) {
  return sha256_hex(fmt::format("{} {} {}", scenario_hash, data_hash, results_version));
}

std::optional<std::string> value_of(const SweepPlan& plan, const Cell& cell, const std::string& name) {
  ResolvedScenario resolved;
  return look_up(plan.axes, cell.coordinates, name, [&] {
    resolved = resolve_scenario({"", plan.runs[cell.run].scenario, {}});
    return resolved.scenario.get();
  });
}

void require_known_values(const SweepPlan& plan, const Condition& condition) {
  condition.check_each([&](const Condition::Comparison& comparison) {
    const auto same = [&](const GridAxis& axis) { return axis.name == comparison.name; };
    const auto axis = std::find_if(plan.axes.begin(), plan.axes.end(), same);
    if (axis == plan.axes.end() || (comparison.sign != "=" && comparison.sign != "!=")) return;
    std::vector<std::string> labels;
    for (const AxisValue& value : axis->values) labels.push_back(value.label);
    require_value_of_axis(comparison, labels);
  });
}

void require_value_of_axis(const Condition::Comparison& comparison, const std::vector<std::string>& values) {
  const auto equal = [&](const std::string& value) { return equal_values(value, comparison.value); };
  if (std::any_of(values.begin(), values.end(), equal)) return;
  throw_input_error("condition '{} {} {}': the axis has no such value, but {}.{}", comparison.name, comparison.sign,
                    comparison.value, fmt::join(values, ", "), did_you_mean(comparison.value, values));
}

std::string coordinates_text(const Cell& cell) {
  std::vector<std::string> parts;
  for (const auto& [axis, label] : cell.coordinates) parts.push_back(fmt::format("{}={}", axis, label));
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace souk
