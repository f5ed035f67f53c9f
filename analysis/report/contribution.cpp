#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"

namespace souk {
namespace {

using vega::Json;

/// Beyond this many points, only the first run of a setting is drawn.
constexpr std::int64_t most_agents = 20000;

/// A run whose market values updates is drawn by values, any other by cosines: the two are never on one axis.
std::string agents_of_run(bool valued) {
  return fmt::format(
      "SELECT agent, attacker_group, samples, {0}, weight_sum, (SELECT 1e-6 * total(micro_credits) FROM ledger l "
      "WHERE l.run = s.run AND l.payee = s.agent AND l.buyer = -2 AND l.kind = 'payment') FROM agent_summary s "
      "WHERE run = ? AND {0} IS NOT NULL AND {1} EXISTS (SELECT 1 FROM agent_summary v WHERE v.run = s.run AND "
      "v.value_mean IS NOT NULL) ORDER BY agent",
      valued ? "value_mean" : "cosine_mean", valued ? "" : "NOT");
}

std::string scatter_spec(const Study& study, bool paid, bool valued) {
  Json spec = vega::specification();
  if (paid) spec["params"].push_back(vega::choice("reward", "Reward", {"income", "weight"}, {"income", "weight"}));
  for (const auto& [name, label, options] :
       {std::tuple("rule", "Rule", study.rules), std::tuple("attack", "Attack", study.attacks)}) {
    if (options.size() < 2) continue;
    spec["params"].push_back(vega::choice(name, label, options));
    spec["transform"].push_back(vega::filter(std::string("datum.") + name + " == " + name));
  }
  vega::choose_axes(spec, study, false);
  if (paid) {
    spec["transform"].push_back(vega::calculate("datum[reward]", "value"));
    spec["title"] = {{"text",
                      {{"expr",
                        "reward == 'income' ? 'paid in all rounds (credits)' : 'weight, summed over "
                        "rounds'"}}}};
  } else {
    spec["title"] = {{"text", "weight, summed over rounds"}};
  }
  spec["width"] = "container";
  spec["height"] = 320;
  spec["mark"] = {{"type", "point"}, {"filled", true}, {"size", 55}, {"opacity", 0.75}};
  Json x = vega::channel("contribution", "quantitative",
                         valued ? "mean value by the market's valuation" : "mean cosine of updates and step");
  x["scale"] = {{"zero", false}};
  Json y = vega::channel(paid ? "value" : "weight", "quantitative", "");
  Json encoding = {{"x", x}, {"y", y}};
  vega::colour_by(encoding, "group", "clients", 2);
  encoding["color"]["scale"] = {{"domain", {"benign", "malicious"}}};
  encoding["shape"] = vega::channel("group", "nominal", "clients");
  encoding["shape"]["scale"] = {{"domain", {"benign", "malicious"}}};
  encoding["tooltip"] = {vega::line("agent", "client"), vega::line("group", "is"), vega::line("samples", "samples"),
                         vega::line("contribution", valued ? "value" : "cosine", ".3~g"),
                         vega::line("weight", "weight", ".4~g")};
  if (paid) encoding["tooltip"].push_back(vega::line("income", "credits", ".6~g"));
  spec["encoding"] = encoding;
  return vega::text_of(spec);
}

std::optional<Figure> scatter(const Study& study, const Database& view, bool valued) {
  const bool all_seeds =
      view.integer("SELECT count(*) FROM agent_summary WHERE coalesce(value_mean, cosine_mean) IS NOT NULL") <=
      most_agents;
  DataSet data(vega::grid_columns(study, {"seed", "agent", "group", "samples", "contribution", "weight", "income"}));
  bool paid = false;
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    for (const std::size_t number : group.runs) {
      const StudyRun& run = study.runs[number];
      const bool has_market = run.paid.has_value();
      Statement select(view, agents_of_run(valued));
      select.bind_all(run.run);
      while (select.step()) {
        paid = paid || has_market;
        data.add(vega::grid_values(
            group.cell,
            {run.seed, select.integer(0), select.integer(1) >= 0 ? "malicious" : "benign", select.integer(2),
             select.real(3), select.is_null(4) ? ReportValue() : ReportValue(select.real(4)),
             has_market ? ReportValue(select.real(5)) : ReportValue()}));
      }
      if (!all_seeds) break;
    }
  }
  if (data.empty()) return std::nullopt;
  return Figure{
      .id = valued ? "contribution-value" : "contribution",
      .title = "Contribution and reward",
      .note = std::string("A point per client and run, of the server or first buyer. Contribution is ") +
              (valued ? "the mean over rounds of what the market's valuation says of the client's updates."
                      : "the mean over rounds of the cosine between the client's update and the step that was taken.") +
              (all_seeds ? "" : " Of every setting the first seed alone is drawn, for there are many clients.") +
              unfinished_note(study, RunsTaken::ended),
      .spec = scatter_spec(study, paid, valued),
      .data = std::move(data)};
}

}  // namespace

std::vector<Figure> contribution_and_reward(const Study& study, const Database& view) {
  std::vector<Figure> figures;
  for (const bool valued : {true, false}) {
    if (auto figure = scatter(study, view, valued)) figures.push_back(std::move(*figure));
  }
  return figures;
}

}  // namespace souk
