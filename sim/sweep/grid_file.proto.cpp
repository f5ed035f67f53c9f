#include "sim/sweep/grid_file.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "scenarios/sweep.pb.h"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

/// A cell sets its seed last, so that nothing else that sets it would have an effect.
constexpr const char* seeds_elsewhere = "seeds are varied with 'seeds' or 'repeat' of the grid";

/// Turns one file's message into ours and keeps where everything was written.
class Reader {
 public:
  Reader(std::string file, FieldPlaces places) : file_(std::move(file)), places_(std::move(places)) {}

  /// Of the field, or else of the first element of its list or of the message that it is in: the parser notes no more.
  std::string place(std::string path) const {
    while (!path.empty()) {
      auto found = places_.find(path);
      if (found == places_.end() && path.back() == ']') {
        path.erase(path.rfind('['));
        found = places_.find(path + "[0]");
      }
      if (found != places_.end()) return fmt::format("{}:{}", file_, found->second);
      const auto dot = path.rfind('.');
      path.erase(dot == std::string::npos ? 0 : dot);
    }
    return file_;
  }

  template <class Message>
  GridBlock block(const Message& message, const std::string& prefix) const {
    GridBlock block{.name = message.name(), .set = settings(message.set(), prefix + "set")};
    for (int a = 0; a < message.axis_size(); ++a) {
      block.factors.push_back({axis(message.axis(a), fmt::format("{}axis[{}]", prefix, a))});
    }
    for (int z = 0; z < message.zip_size(); ++z) {
      block.factors.push_back(zip(message.zip(z), fmt::format("{}zip[{}]", prefix, z)));
    }
    for (int w = 0; w < message.where_size(); ++w) {
      block.where.push_back(condition(message.where(w), fmt::format("{}where[{}]", prefix, w)));
    }
    for (int c = 0; c < message.change_size(); ++c) {
      const std::string path = fmt::format("{}change[{}]", prefix, c);
      block.changes.push_back(
          {condition(message.change(c).where(), path + ".where"), settings(message.change(c).set(), path + ".set")});
    }
    return block;
  }

 private:
  Condition condition(const std::string& text, const std::string& path) const {
    return text.empty() ? Condition::always() : Condition::parse(text, place(path));
  }

  template <class Texts>
  std::vector<GridSetting> settings(const Texts& texts, const std::string& path) const {
    std::vector<GridSetting> out;
    for (int i = 0; i < texts.size(); ++i) {
      const std::string where = place(fmt::format("{}[{}]", path, i));
      const auto equals = texts[i].find('=');
      SOUK_REQUIRE(equals != std::string::npos && equals > 0, "{}: '{}': expected PATH=VALUE", where, texts[i]);
      SOUK_REQUIRE(texts[i].substr(0, equals) != "seed", "{}: '{}': {}", where, texts[i], seeds_elsewhere);
      out.push_back({texts[i], where});
    }
    return out;
  }

  GridAxis axis(const scenario::Axis& message, const std::string& path) const {
    const int ways = (message.values_size() > 0) + (message.numbers_size() > 0) + message.has_steps() +
                     message.has_log_steps() + (message.choice_size() > 0);
    SOUK_REQUIRE(ways == 1, "{}: axis '{}' takes exactly one of values, numbers, steps, log_steps and choice",
                 place(path), message.name().empty() ? message.path() : message.name());
    GridAxis axis{message.name().empty() ? message.path() : message.name(), {}, message.path(), place(path)};
    SOUK_REQUIRE(!axis.name.empty(), "{}: an axis takes a name or a path", place(path));
    for (const std::string& word : {axis.name, axis.path}) {
      SOUK_REQUIRE(word != "seed", "{}: {}", place(path), seeds_elsewhere);
    }
    for (const std::string_view taken : {"sweep", "block", "cell", "run", "status"}) {
      SOUK_REQUIRE(axis.name != taken, "{}: '{}' means something else in results; call the axis otherwise", place(path),
                   taken);
    }
    if (message.choice_size() > 0) {
      SOUK_REQUIRE(message.path().empty(), "{}: axis '{}' has choices, which take no path", place(path), axis.name);
      axis.values = choices(message, path);
    } else {
      SOUK_REQUIRE(!message.path().empty(), "{}: axis '{}' takes a path", place(path), axis.name);
      for (const auto& [text, where] : scalars(message, path)) {
        axis.values.push_back({text, {{fmt::format("{}={}", message.path(), text), where}}});
      }
    }
    std::set<std::string> labels;
    for (const AxisValue& value : axis.values) {
      SOUK_REQUIRE(labels.insert(value.label).second, "{}: axis '{}' has the value '{}' twice", place(path), axis.name,
                   value.label);
    }
    return axis;
  }

  std::vector<AxisValue> choices(const scenario::Axis& message, const std::string& path) const {
    std::vector<AxisValue> values;
    for (int c = 0; c < message.choice_size(); ++c) {
      const std::string below = fmt::format("{}.choice[{}]", path, c);
      SOUK_REQUIRE(!message.choice(c).label().empty(), "{}: a choice takes a label", place(below));
      values.push_back({message.choice(c).label(), settings(message.choice(c).set(), below + ".set")});
    }
    return values;
  }

  std::vector<std::pair<std::string, std::string>> scalars(const scenario::Axis& message,
                                                           const std::string& path) const {
    std::vector<std::pair<std::string, std::string>> out;
    for (int v = 0; v < message.values_size(); ++v) {
      out.emplace_back(message.values(v), place(fmt::format("{}.values[{}]", path, v)));
    }
    for (int v = 0; v < message.numbers_size(); ++v) {
      out.emplace_back(fmt::format("{}", message.numbers(v)), place(fmt::format("{}.numbers[{}]", path, v)));
    }
    const std::vector<double> counted = message.has_steps()       ? steps(message.steps(), place(path + ".steps"))
                                        : message.has_log_steps() ? log_steps(message.log_steps(), path)
                                                                  : std::vector<double>();
    // Twelve digits: 0.1 + 2 · 0.1 is to be read as 0.3.
    for (const double value : counted) out.emplace_back(fmt::format("{:.12g}", value), place(path));
    return out;
  }

  static std::vector<double> steps(const scenario::Steps& message, const std::string& place) {
    const double length = (message.to() - message.from()) / message.by();
    SOUK_REQUIRE(std::isfinite(length) && length >= 0.0 && length < 100000.0,
                 "{}: steps from {} to {} by {} do not arrive, or only after more than 100000", place, message.from(),
                 message.to(), message.by());
    std::vector<double> values;
    for (int i = 0; i <= static_cast<int>(length + 1e-6); ++i) {
      const double value = message.from() + i * message.by();
      values.push_back(std::abs(value) < 1e-9 * std::abs(message.by()) ? 0.0 : value);  // what should be 0 is
    }
    return values;
  }

  std::vector<double> log_steps(const scenario::LogSteps& message, const std::string& path) const {
    scenario::LogSteps complete = message;
    fill_defaults(complete);
    for (const std::string& error : range_errors(complete)) {
      throw InputError(fmt::format("{}: log_steps: {}", place(path + ".log_steps"), error));
    }
    std::vector<double> values;
    const double ratio = std::log(message.to() / message.from()) / (message.count() - 1);
    for (std::uint32_t i = 0; i < message.count(); ++i) values.push_back(message.from() * std::exp(ratio * i));
    return values;
  }

  GridFactor zip(const scenario::Zip& message, const std::string& path) const {
    GridFactor factor;
    for (int a = 0; a < message.axis_size(); ++a) {
      factor.push_back(axis(message.axis(a), fmt::format("{}.axis[{}]", path, a)));
    }
    SOUK_REQUIRE(!factor.empty(), "{}: a zip takes axes", place(path));
    for (const GridAxis& other : factor) {
      SOUK_REQUIRE(other.values.size() == factor.front().values.size(),
                   "{}: the axes of a zip have the same length, but '{}' has {} values and '{}' has {}", place(path),
                   factor.front().name, factor.front().values.size(), other.name, other.values.size());
    }
    return factor;
  }

  std::string file_;
  FieldPlaces places_;
};

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

struct Included {
  std::vector<fs::path> around{};  ///< files that led here
  std::set<fs::path> before{};     ///< files that are in the grid
};

/// Adds a file to `grid`, after those it includes, unless it is in it already.
void add_file(const fs::path& file, Included& included, Grid& grid) {
  const fs::path identity = fs::weakly_canonical(file);
  auto& around = included.around;
  SOUK_REQUIRE(std::find(around.begin(), around.end(), identity) == around.end(), "{}: includes itself", file.string());
  if (!included.before.insert(identity).second) return;
  around.push_back(identity);
  scenario::Grid message;
  const Reader reader(file.string(), parse_text_format({file.string(), read_text_file(file), {}}, message));
  for (const std::string& error : range_errors(message)) {
    throw InputError(fmt::format("{}: {}", reader.place(error.substr(0, error.find(' '))), error));
  }
  for (int i = 0; i < message.include_size(); ++i) {
    const fs::path other = file.parent_path() / message.include(i);
    SOUK_REQUIRE(fs::exists(other), "{}: include: there is no file {}", reader.place(fmt::format("include[{}]", i)),
                 other.string());
    add_file(other, included, grid);
  }
  if (message.has_name()) grid.name = message.name();
  if (message.has_base()) {
    grid.base = file.parent_path() / message.base();
    SOUK_REQUIRE(fs::exists(grid.base), "{}: base: there is no file {}", reader.place("base"), grid.base.string());
  }
  if (message.has_repeat()) grid.repeat = message.repeat();
  if (message.has_random_numbers()) grid.independent = message.random_numbers() == scenario::Grid::INDEPENDENT;
  if (message.has_retries()) grid.retries = message.retries();
  if (message.has_timeout()) grid.timeout = message.timeout();
  for (int s = 0; s < message.seeds_size(); ++s) {
    const std::uint64_t seed = message.seeds(s);
    SOUK_REQUIRE(std::find(grid.seeds.begin(), grid.seeds.end(), seed) == grid.seeds.end(),
                 "{}: seeds: {} is there twice", reader.place(fmt::format("seeds[{}]", s)), seed);
    grid.seeds.push_back(seed);
  }
  GridBlock own = reader.block(message, "");
  append(grid.common.set, std::move(own.set));
  append(grid.common.factors, std::move(own.factors));
  append(grid.common.where, std::move(own.where));
  append(grid.common.changes, std::move(own.changes));
  for (int b = 0; b < message.block_size(); ++b) {
    grid.blocks.push_back(reader.block(message.block(b), fmt::format("block[{}].", b)));
  }
  around.pop_back();
}

}  // namespace

Grid load_grid(const fs::path& file) {
  const scenario::Grid defaults;
  Grid grid{.file = file, .name = file.stem().string(), .retries = defaults.retries(), .timeout = defaults.timeout()};
  Included included;
  add_file(file, included, grid);
  SOUK_REQUIRE(!grid.base.empty(), "{}: base: the grid names no scenario to start from", file.string());
  SOUK_REQUIRE(is_plain_name(grid.name),
               "{}: name = \"{}\": takes letters, digits, '.', '_' and '-', and does not "
               "start with '.'",
               file.string(), grid.name);
  SOUK_REQUIRE(grid.seeds.empty() || grid.repeat == 0, "{}: takes seeds or repeat, not both", file.string());
  grid.base_text = read_text_file(grid.base);
  return grid;
}

}  // namespace souk
