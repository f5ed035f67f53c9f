#include "analysis/report/edges.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/lines.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/ranking.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using vega::Json;

/// A run by its number, and one of its attacks on edges by name. Attacks on training are another matter: in figures'
/// data these are `inference`, and `attack` is what clients do.
using RunAttack = std::pair<std::int64_t, std::string>;

using Curves = std::map<RunAttack, std::vector<CurvePoint>>;

Curves read_curves(const Database& view, const std::string& curve) {
  Curves curves;
  Statement row(view, "SELECT run, attack, x, y FROM pair_curve WHERE curve = ? ORDER BY run, attack, point");
  row.bind_all(curve);
  while (row.step()) curves[{row.integer(0), row.text(1)}].push_back({row.real(2), row.real(3)});
  return curves;
}

/// Where curves of several seeds are averaged: dense where few others are taken for edges.
constexpr std::array grid_of_rates{0.0,  0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3,
                                   0.35, 0.4,   0.45,  0.5,   0.55, 0.6,  0.65, 0.7,  0.75,  0.8, 0.85, 0.9, 0.95, 1.0};

/// The highest true positive rate at this false positive rate, linear between two thresholds.
double rate_at(const std::vector<CurvePoint>& roc, double x) {
  const auto beyond = std::ranges::upper_bound(roc, x, {}, &CurvePoint::x);
  const CurvePoint& before = *std::prev(beyond);
  if (beyond == roc.end()) return before.y;
  return before.y + (x - before.x) / (beyond->x - before.x) * (beyond->y - before.y);
}

/// The precision of the highest threshold that finds this share of the edges.
double precision_at(const std::vector<CurvePoint>& curve, double recall) {
  const auto enough = std::ranges::lower_bound(curve, recall, {}, &CurvePoint::x);
  return enough == curve.end() ? curve.back().y : enough->y;
}

/// One of the two kinds of curves.
struct CurveKind {
  const char *id, *title, *curve, *x, *y, *note;
  double (*at)(const std::vector<CurvePoint>& points, double x);
};

constexpr CurveKind roc_kind{"edge-roc",
                             "Edges found against others taken for edges",
                             "roc",
                             "other pairs taken for edges (%)",
                             "edges found (%)",
                             "ROC curves: what share of the edges lies above a score, against that of the other pairs; "
                             "on the dashed line scores tell "
                             "nothing.",
                             rate_at};
constexpr CurveKind precision_kind{"edge-precision",
                                   "Precision against recall",
                                   "precision_recall",
                                   "edges found (%)",
                                   "edges among the pairs taken for them (%)",
                                   "Of the pairs above a score the share that are edges, against the share of the "
                                   "edges that are among them. The precision of "
                                   "a guess is the share of edges in all pairs.",
                                   precision_at};

void add_curve(const Study& study, const SeedGroup& group, const std::string& attack, const Curves& curves,
               const CurveKind& kind, DataSet& data) {
  std::vector<const std::vector<CurvePoint>*> found;
  for (const std::size_t run : group.runs) {
    const auto curve = curves.find({study.runs[run].run, attack});
    if (curve != curves.end()) found.push_back(&curve->second);
  }
  if (found.empty()) return;
  for (const double x : grid_of_rates) {
    std::vector<double> values;
    for (const auto* curve : found) values.push_back(100.0 * kind.at(*curve, x));
    const Summary summary = summarise(values);
    data.add(vega::grid_values(group.cell, {attack, 100.0 * x, summary.mean, summary.min, summary.max, summary.count}));
  }
}

std::string curves_spec(const Study& study, const vega::Dimension& attacks, const CurveKind& kind) {
  Json spec = vega::specification();
  vega::choose_lines(spec, study, std::string::npos, &attacks);
  spec["width"] = "container";
  spec["height"] = 320;
  Json x = vega::channel("x", "quantitative", kind.x);
  Json y = vega::channel("mean", "quantitative", kind.y);
  for (Json* channel : {&x, &y}) (*channel)["scale"] = {{"domain", {0, 100}}};
  Json encoding = {{"x", x}, {"y", y}, {"opacity", vega::faded()}};
  vega::colour_by_line(encoding, study, std::string::npos, &attacks);
  encoding["tooltip"] = {vega::line("line", "line"),
                         vega::line("x", kind.x, ".3~g"),
                         vega::line("mean", kind.y, ".3~g"),
                         vega::line("least", "smallest", ".3~g"),
                         vega::line("most", "largest", ".3~g"),
                         vega::line("runs", "runs")};
  spec["layer"] = {Json{{"params", {vega::legend_choice("line")}},
                        {"transform", spec["transform"]},
                        {"mark", {{"type", "line"}, {"strokeWidth", 2}, {"tooltip", true}}},
                        {"encoding", encoding}}};
  spec.erase("transform");  // it is about the curves, not about the diagonal
  if (std::string_view(kind.curve) != "roc") return vega::text_of(spec);
  const Json ends = {{"values", Json::array({Json{{"x", 0}, {"mean", 0}}, Json{{"x", 100}, {"mean", 100}}})}};
  spec["layer"].push_back(
      {{"data", ends},
       {"mark", {{"type", "line"}, {"strokeDash", {4, 4}}, {"color", "#888888"}, {"strokeWidth", 1}}},
       {"encoding", {{"x", x}, {"y", y}}}});
  return vega::text_of(spec);
}

void add_curves(const Study& study, const Database& view, const CurveKind& kind, std::vector<Figure>& figures) {
  const vega::Dimension attacks = edge_attacks_of(view, "pair_curve");
  const Curves curves = read_curves(view, kind.curve);
  DataSet data(vega::grid_columns(study, {"inference", "x", "mean", "least", "most", "runs"}));
  for (const std::string& attack : attacks.values) {
    for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
      add_curve(study, group, attack, curves, kind, data);
    }
  }
  if (data.empty()) return;
  figures.push_back(
      {.id = kind.id,
       .title = kind.title,
       .note = fmt::format("{} Over all pairs of an attack, those without a score lowest; mean over seeds.{}",
                           kind.note, unfinished_note(study, RunsTaken::ended)),
       .spec = curves_spec(study, attacks, kind),
       .data = std::move(data)});
}

/// Shares of a run's edges and of its other pairs in each part of the ranking, the lowest first.
struct Ranks {
  std::vector<double> edges, others;
};

std::map<RunAttack, Ranks> read_ranks(const Database& view) {
  std::map<RunAttack, Ranks> ranks;
  Statement row(
      view,
      "SELECT run, attack, 1.0 * edges / nullif(sum(edges) OVER w, 0), 1.0 * others / nullif(sum(others) OVER w, 0)"
      " FROM pair_rank WINDOW w AS (PARTITION BY run, attack) ORDER BY run, attack, part");
  while (row.step()) {
    Ranks& of = ranks[{row.integer(0), row.text(1)}];
    of.edges.push_back(row.real(2));
    of.others.push_back(row.real(3));
  }
  return ranks;
}

void add_edge_ranks(const Study& study, const SeedGroup& group, const std::string& attack,
                    const std::map<RunAttack, Ranks>& ranks, DataSet& data) {
  for (const auto& [kind, member] : {std::pair("edges", &Ranks::edges), std::pair("other pairs", &Ranks::others)}) {
    std::vector<std::vector<double>> shares;  // by part, of runs
    for (const std::size_t run : group.runs) {
      const auto found = ranks.find({study.runs[run].run, attack});
      if (found == ranks.end()) continue;
      const std::vector<double>& of_run = found->second.*member;
      shares.resize(of_run.size());
      for (std::size_t part = 0; part < of_run.size(); ++part) {
        if (!std::isnan(of_run[part])) shares[part].push_back(100.0 * of_run[part]);
      }
    }
    const double width = 100.0 / static_cast<double>(shares.size());
    for (std::size_t part = 0; part < shares.size(); ++part) {
      const double from = width * static_cast<double>(part);
      data.add(vega::grid_values(
          group.cell, {attack, kind, from, from + width, summarise(shares[part]).mean, shares[part].size()}));
    }
  }
}

std::string ranks_spec(const Study& study, const vega::Dimension& attacks) {
  Json spec = vega::specification();
  choose_place(spec, study, attacks);
  spec["width"] = "container";
  spec["height"] = 240;
  spec["mark"] = {{"type", "bar"}, {"opacity", 0.55}, {"tooltip", true}};
  Json x = vega::channel("from", "quantitative", "rank of the score among all pairs, lowest first (%)");
  x["scale"] = {{"domain", {0, 100}}};
  Json y = vega::channel("mean", "quantitative", "share of the edges, of the other pairs (%)");
  y["stack"] = nullptr;
  spec["encoding"] = {{"x", x}, {"x2", {{"field", "to"}}}, {"y", y}, {"y2", {{"datum", 0}}}};
  vega::colour_by(spec["encoding"], "kind", "pairs", 2);
  spec["encoding"]["tooltip"] = {vega::line("kind", "pairs"), vega::line("from", "rank from (%)", ".3~g"),
                                 vega::line("to", "to", ".3~g"), vega::line("mean", "share of them (%)", ".3~g"),
                                 vega::line("runs", "runs")};
  return vega::text_of(spec);
}

void add_rank_figure(const Study& study, const Database& view, std::vector<Figure>& figures) {
  const vega::Dimension attacks = edge_attacks_of(view, "pair_rank");
  const std::map<RunAttack, Ranks> ranks = read_ranks(view);
  DataSet data(vega::grid_columns(study, {"inference", "kind", "from", "to", "mean", "runs"}));
  for (const std::string& attack : attacks.values) {
    for (const SeedGroup& group : seed_groups(study, RunsTaken::ended))
      add_edge_ranks(study, group, attack, ranks, data);
  }
  if (data.empty()) return;
  figures.push_back(
      {.id = "edge-ranks",
       .title = "Where the scores of edges lie",
       .note = fmt::format(
           "All pairs of an attack by the rank of their score, in twentieths, whatever its scale: what share "
           "of the edges, and of the other pairs, lies in each. Pairs of one score are where their mean rank "
           "is, those without a score are the lowest. Mean over seeds.{}",
           unfinished_note(study, RunsTaken::ended)),
       .spec = ranks_spec(study, attacks),
       .data = std::move(data)});
}

}  // namespace

vega::Dimension edge_attacks_of(const Database& view, const std::string& table) {
  vega::Dimension attacks{"inference", "edge attack", {}};
  Statement row(view, fmt::format("SELECT DISTINCT attack FROM {} ORDER BY attack", table));
  while (row.step()) attacks.values.push_back(row.text(0));
  return attacks;
}

void choose_place(Json& spec, const Study& study, const vega::Dimension& attacks,
                  const std::set<std::string>& without) {
  std::vector<vega::Dimension> dimensions = vega::dimensions_of(study);
  if (attacks.values.size() > 1) dimensions.insert(dimensions.begin(), attacks);
  for (const auto& [field, name, values] : dimensions) {
    if (without.contains(field)) continue;
    const std::string label = field == "rule" ? "Rule" : field == "attack" ? "Attack" : name;
    spec["params"].push_back(vega::choice(field, label, values));
    spec["transform"].push_back(vega::filter(fmt::format("datum.{0} == {0}", field)));
  }
}

std::vector<Figure> edge_inference(const Study& study, const Database& view) {
  std::vector<Figure> figures;
  if (view.integer("SELECT count(*) FROM pair_rank") == 0) return figures;
  add_curves(study, view, roc_kind, figures);
  add_curves(study, view, precision_kind, figures);
  add_rank_figure(study, view, figures);
  for (Figure& figure : edge_noise(study, view)) figures.push_back(std::move(figure));
  return figures;
}

}  // namespace souk
