#include "analysis/report/selection_map.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/vega.hpp"

namespace souk {
namespace {

using vega::Json;

constexpr std::int64_t first_account = -2;  ///< of the server or first buyer; rivals are below

std::string buyer_name(const Study& study, std::int64_t account) {
  const std::int64_t rival = first_account - 1 - account;
  const bool known = rival >= 0 && static_cast<std::size_t>(rival) < study.rivals.size();
  return known ? study.rivals[static_cast<std::size_t>(rival)] : "first";
}

/// "12", "10–19" or, where benign clients are between them, "10…19".
std::string rounds_text(std::int64_t first, std::int64_t last, bool whole) {
  if (first == last) return fmt::format("{}", first);
  return fmt::format("{}{}{}", first, whole ? "–" : "…", last);
}

std::string note_of(std::int64_t clients, std::int64_t rounds) {
  if (clients == 1 && rounds == 1) return "";
  const auto many = [](std::int64_t count, const char* what) {
    return count == 1 ? fmt::format("one {}", what) : fmt::format("up to {} {}s", count, what);
  };
  return fmt::format(" The run has more clients or rounds than the map has fields: a field is {} of one side and {}.",
                     many(clients, "client"), many(rounds, "round"));
}

/// What both maps have: rounds, clients in order, and a strip that marks the malicious ones.
Json map_spec(const Study& study, const Json& colour, const std::string& value) {
  Json spec = vega::specification();
  if (!study.rivals.empty()) {
    std::vector<std::string> buyers{"first"};
    buyers.insert(buyers.end(), study.rivals.begin(), study.rivals.end());
    spec["params"] = {vega::choice("buyer", "Buyer", buyers)};
    spec["transform"] = {vega::filter("datum.buyer == buyer")};
  }
  spec["transform"].push_back(vega::calculate(value, "value"));
  spec["width"] = "container";
  Json x = vega::round_channel();
  x["field"] = "begin";
  x["axis"]["labelExpr"] = "datum.value == floor(datum.value) ? datum.label : ''";  // fields end between rounds
  x["scale"] = {{"zero", false}, {"nice", false}};
  Json y = vega::channel("clients", "nominal", "client");
  y["sort"] = {{"op", "min"}, {"field", "place"}};
  y["axis"] = {{"labelOverlap", true}, {"offset", 12}, {"ticks", false}, {"domain", false}};
  const Json tooltip = {vega::line("clients", "client"),
                        vega::line("side", "is"),
                        vega::line("rounds", "rounds"),
                        vega::line("asked", "asked"),
                        vega::line("judged", "judged"),
                        vega::line("accepted", "accepted"),
                        vega::line("weight", "sum of weights", ".4~g")};
  const Json fields = {
      {"mark", {{"type", "rect"}, {"invalid", nullptr}}},
      {"encoding", {{"x", x}, {"x2", {{"field", "end"}}}, {"y", y}, {"color", colour}, {"tooltip", tooltip}}}};
  Json side = vega::channel("side", "nominal", "client is");
  side["scale"] = {{"domain", {"malicious", "benign"}}, {"range", {"#d55e00", "#9aa0a6"}}};
  const Json strip = {{"transform", {{{"aggregate", Json::array()}, {"groupby", {"clients", "side", "place"}}}}},
                      {"mark", {{"type", "rect"}, {"clip", false}}},
                      {"encoding", {{"x", {{"value", -10}}}, {"x2", {{"value", -4}}}, {"y", y}, {"color", side}}}};
  spec["layer"] = {fields, strip};
  spec["resolve"] = {{"scale", {{"color", "independent"}}}};
  return spec;
}

Json colour_of(const std::string& title, Json scale) {
  return {{"condition", {{"test", "!isValid(datum.value)"}, {"value", "#9aa0a6"}}},
          {"field", "value"},
          {"type", "quantitative"},
          {"title", title},
          {"scale", std::move(scale)}};
}

}  // namespace

SelectionMap selection_map(const Database& view, const Study& study, std::int64_t run) {
  SelectionMap map{.data = DataSet({"buyer", "clients", "side", "place", "begin", "end", "rounds", "asked", "judged",
                                    "accepted", "weight"}),
                   .note = "",
                   .weighed = false,
                   .height = 0};
  std::map<std::pair<bool, std::int64_t>, std::size_t> places;  // malicious ones come first
  std::int64_t most_clients = 1, most_rounds = 1;
  {
    Statement band(view,
                   "SELECT DISTINCT malicious, band FROM selection_map WHERE run = ? ORDER BY malicious DESC, band");
    band.bind_all(run);
    while (band.step()) places.emplace(std::pair(band.integer(0) != 0, band.integer(1)), places.size());
  }
  Statement field(view,
                  "SELECT buyer, malicious, band, first_round, last_round, first_agent, last_agent, agents, asked, "
                  "judged, accepted, weight FROM selection_map WHERE run = ? "
                  "ORDER BY buyer DESC, malicious DESC, band, first_round");
  field.bind_all(run);
  while (field.step()) {
    const bool malicious = field.integer(1) != 0;
    const std::int64_t from = field.integer(3), to = field.integer(4), agents = field.integer(7);
    const std::int64_t first = field.integer(5), last = field.integer(6);
    const std::string clients = rounds_text(first, last, last - first + 1 == agents);
    most_clients = std::max(most_clients, agents);
    most_rounds = std::max(most_rounds, to - from + 1);
    map.weighed = map.weighed || !field.is_null(11);
    map.data.add({buyer_name(study, field.integer(0)), malicious ? "malicious " + clients : clients,
                  malicious ? "malicious" : "benign", places.at({malicious, field.integer(2)}),
                  static_cast<double>(from) - 0.5, static_cast<double>(to) + 0.5, rounds_text(from, to, true),
                  field.integer(8), field.integer(9), field.integer(10),
                  field.is_null(11) ? ReportValue() : ReportValue(field.real(11))});
  }
  map.note = note_of(most_clients, most_rounds);
  const std::size_t rows = std::max<std::size_t>(places.size(), 1);
  map.height = rows * std::clamp<std::size_t>(480 / rows, 4, 16);
  return map;
}

std::string decision_map_spec(const Study& study) {
  const Json scale = {{"domain", {0, 50, 100}}, {"range", {"#d55e00", "#e4e7eb", "#0072b2"}}, {"interpolate", "rgb"}};
  return vega::text_of(map_spec(study, colour_of("accepted (%)", scale),
                                "datum.judged > 0 ? 100 * datum.accepted / datum.judged : null"));
}

std::string weight_map_spec(const Study& study) {
  return vega::text_of(map_spec(study, colour_of("mean weight (%)", {{"scheme", "viridis"}}),
                                "isValid(datum.weight) ? 100 * datum.weight / datum.asked : null"));
}

std::vector<Figure> selection_maps(const Study& study, const Database& view) {
  if (study.runs.size() != 1) return {};
  const SelectionMap map = selection_map(view, study, study.runs.front().run);
  if (map.data.empty()) return {};
  const auto drawn = [&](const std::string& spec) {
    Json own = Json::parse(spec);
    own["height"] = map.height;
    return vega::text_of(own);
  };
  std::vector<Figure> figures{{.id = "decisions",
                               .title = decision_map_title,
                               .note = decision_map_note + map.note,
                               .spec = drawn(decision_map_spec(study)),
                               .data = map.data}};
  if (map.weighed) {
    figures.push_back({.id = "weights",
                       .title = weight_map_title,
                       .note = weight_map_note + map.note,
                       .spec = drawn(weight_map_spec(study)),
                       .data = map.data});
  }
  return figures;
}

}  // namespace souk
