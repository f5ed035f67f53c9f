#include "analysis/report/figure_states.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/theme.hpp"
#include "analysis/report/vega.hpp"

namespace souk {
namespace {

using vega::Json;

/// A choice that the specification leaves to the reader.
struct Choice {
  std::string name;                                               ///< of the parameter
  std::string label;                                              ///< of the choice on the page
  std::vector<std::pair<std::string, std::string>> options = {};  ///< value and what it is called
  bool of_data = false;  ///< the data have a column of this name, which it filters

  const std::string& called(const std::string& value) const {
    const auto found = std::ranges::find(options, value, [](const auto& option) { return option.first; });
    return found == options.end() ? value : found->second;
  }
};

/// Choices that are of use on the screen alone: of these, what is printed.
const std::map<std::string, std::set<std::string>, std::less<>> printed{{"band", {"interval"}},
                                                                        {"statistic", {"mean", "worst"}}};

std::vector<Choice> choices_of(const Figure& figure) {
  std::vector<Choice> choices;
  const Json spec = Json::parse(figure.spec);
  for (const Json& param : spec.value("params", Json::array())) {
    if (!param.contains("bind")) continue;
    const std::string name = param["name"];
    Choice choice{.name = name, .label = param["bind"]["name"], .of_data = figure.data.has_column(name)};
    const Json& options = param["bind"]["options"];
    const Json& labels = param["bind"].value("labels", options);
    const auto only = printed.find(name);
    for (std::size_t i = 0; i < options.size(); ++i) {
      const bool wanted = only == printed.end() || only->second.contains(options[i].get<std::string>());
      if (wanted) choice.options.emplace_back(options[i], labels[i]);
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

using Chosen = std::map<std::string, std::string>;

std::string text_of_value(const ReportValue& value) {
  return value.kind() == ReportValue::Kind::text ? value.text() : std::string();
}

/// Whether the row has what is drawn of it.
bool is_drawn(const DataSet& data, std::size_t row) {
  return !data.has_column("mean") || data.at(row, "mean").kind() != ReportValue::Kind::none;
}

/// A place of the data, and the lines that are drawn there.
struct FigurePlace {
  Chosen at;
  std::set<std::string> lines;
};

/// Places in which the choices of data set the rows apart, apart from the choice `lines`, in the order of the data.
std::vector<FigurePlace> places_of(const DataSet& data, const std::vector<Choice>& choices, const std::string& lines) {
  std::vector<FigurePlace> places;
  std::map<Chosen, std::size_t> known;
  for (std::size_t row = 0; row < data.rows(); ++row) {
    if (!is_drawn(data, row)) continue;
    Chosen at;
    for (const Choice& choice : choices) {
      if (choice.of_data && choice.name != lines) at[choice.name] = text_of_value(data.at(row, choice.name));
    }
    const auto [place, is_new] = known.try_emplace(at, places.size());
    if (is_new) places.push_back({at, {}});
    if (!lines.empty()) places[place->second].lines.insert(text_of_value(data.at(row, lines)));
  }
  return places;
}

/// Every combination of the choices that are not about data, `lines` aside.
std::vector<Chosen> free_choices(const std::vector<Choice>& choices) {
  std::vector<Chosen> all{{}};
  for (const Choice& choice : choices) {
    if (choice.of_data || choice.name == "lines") continue;
    std::vector<Chosen> next;
    for (const Chosen& before : all) {
      for (const auto& [value, label] : choice.options) {
        next.push_back(before);
        next.back()[choice.name] = value;
      }
    }
    all = std::move(next);
  }
  return all;
}

const Choice* choice_of(const std::vector<Choice>& choices, std::string_view name) {
  const auto found = std::ranges::find(choices, name, &Choice::name);
  return found == choices.end() ? nullptr : &*found;
}

bool is_dimension(const Choice& choice) { return choice.of_data && choice.name != "metric"; }

/// "attack" of the choice "Attack"; the name of an axis is the grid's and stays.
std::string dimension_name(const Choice& choice) {
  return choice.name == "rule" || choice.name == "attack" ? choice.name : choice.label;
}

/// Characters that no file system and no typesetter takes for something else.
std::string file_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("._+-").find(c) != std::string_view::npos;
    name += plain ? c : '_';
  }
  return name;
}

FigureState named(const Figure& figure, const std::vector<Choice>& choices, Chosen chosen) {
  FigureState state{.chosen = std::move(chosen), .name = figure.id, .words = ""};
  const auto value = [&](const std::string& name) {
    const auto found = state.chosen.find(name);
    return found == state.chosen.end() ? std::string() : found->second;
  };
  if (const std::string metric = value("metric"); !metric.empty()) state.name += "-" + metric;
  for (const Choice& choice : choices) {
    const bool said = choice.of_data || choice.name == "lines" || choice.name == "band";
    if (!said) state.name += "-" + value(choice.name);
  }
  if (const std::string lines = value("lines"); !lines.empty()) {
    const Choice* dimension = choice_of(choices, lines);
    state.name += "-by-" + (dimension == nullptr ? lines : dimension_name(*dimension));
  }
  for (const Choice& choice : choices) {
    if (!is_dimension(choice) || !state.chosen.contains(choice.name)) continue;
    const std::string& called = choice.called(value(choice.name));
    state.name += fmt::format("-{}-{}", dimension_name(choice), called);
    state.words += fmt::format("{}{} {}", state.words.empty() ? "" : ", ", dimension_name(choice), called);
  }
  state.name = file_name(state.name);
  return state;
}

/// No two names alike, nor too long for a file system; places that differ in other characters alone get numbers.
void make_unique(std::vector<FigureState>& states) {
  constexpr std::size_t longest = 180;
  std::set<std::string> taken;
  for (FigureState& state : states) {
    state.name.resize(std::min(state.name.size(), longest));
    std::string name = state.name;
    for (int number = 2; !taken.insert(name).second; ++number) name = fmt::format("{}-{}", state.name, number);
    state.name = name;
  }
}

/// Whether the row is drawn in the state.
bool is_of(const Json& row, const FigureState& state) {
  const auto lines = state.chosen.find("lines");
  return std::ranges::all_of(state.chosen, [&](const auto& chosen) {
    const bool is_line = lines != state.chosen.end() && chosen.first == lines->second;
    return is_line || !row.contains(chosen.first) || row[chosen.first] == chosen.second;
  });
}

}  // namespace

std::vector<FigureState> states_of(const Figure& figure) {
  const std::vector<Choice> choices = choices_of(figure);
  const Choice* lines = choice_of(choices, "lines");
  const std::vector<Chosen> free = free_choices(choices);
  std::vector<FigureState> states;
  const auto add = [&](const std::string& dimension, std::size_t fewest_lines) {
    for (const FigurePlace& place : places_of(figure.data, choices, dimension)) {
      if (place.lines.size() < fewest_lines) continue;
      for (Chosen chosen : free) {
        chosen.insert(place.at.begin(), place.at.end());
        if (!dimension.empty()) chosen["lines"] = dimension;
        states.push_back(named(figure, choices, std::move(chosen)));
      }
    }
  };
  if (lines == nullptr) {
    add("", 0);
  } else {
    for (const auto& [dimension, label] : lines->options) add(dimension, 2);
    if (states.empty()) add(lines->options.front().first, 1);
  }
  make_unique(states);
  return states;
}

std::string standalone_spec(const Figure& figure, const FigureState& state) {
  Json spec = Json::parse(figure.spec);
  Json rows = Json::array();
  for (Json& row : Json::parse(figure.data.to_rows_json())) {
    if (is_of(row, state)) rows.push_back(std::move(row));
  }
  spec["data"] = {{"values", std::move(rows)}};
  spec["config"] = Json::parse(light_theme());
  spec["background"] = "white";
  if (spec["width"] == "container") spec["width"] = 560;
  for (Json& param : spec["params"]) {
    if (const auto chosen = state.chosen.find(param["name"]); chosen != state.chosen.end()) {
      param["value"] = chosen->second;
    }
    param.erase("bind");
  }
  if (!spec.contains("title")) spec["title"] = {{"text", figure.title}};
  if (!state.words.empty()) spec["title"]["subtitle"] = state.words;
  return spec.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace souk
