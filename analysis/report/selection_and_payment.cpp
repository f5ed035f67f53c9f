#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"
#include "analysis/tables/run_values.hpp"
#include "sim/engine/round_record.hpp"
#include "sim/stats/inequality.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using vega::Json;

constexpr double credits = 1e-6;  ///< of a micro-credit

/// What each client held in the end, ascending, by run.
using Amounts = std::map<std::int64_t, std::vector<double>>;

Amounts read_amounts(const Database& view, const std::string& sql) {
  Amounts amounts;
  Statement select(view, sql);
  while (select.step()) amounts[select.integer(0)].push_back(select.real(1));
  std::erase_if(amounts, [](const auto& entry) { return entry.second.back() <= 0.0; });
  return amounts;
}

/// Weight counts where it is positive: a rule may subtract.
constexpr const char* weights_of_clients =
    "SELECT run, max(coalesce(weight_sum, 0), 0) AS amount FROM agent_summary "
    "WHERE asked > 0 AND weight_sum IS NOT NULL ORDER BY run, amount";
constexpr const char* pay_of_clients =
    "SELECT a.run, coalesce(sum(l.micro_credits), 0) AS amount FROM agent a LEFT JOIN ledger l ON l.run = a.run AND "
    "l.payee = a.agent AND l.kind = 'payment' WHERE a.run IN (SELECT run FROM ledger) GROUP BY a.run, a.agent "
    "ORDER BY a.run, amount";

constexpr int lorenz_steps = 20;

void add_lorenz(const Study& study, const SeedGroup& group, const std::string& metric, const Amounts& amounts,
                DataSet& data) {
  std::vector<double> ginis;
  std::vector<std::vector<double>> shares(lorenz_steps + 1);
  for (const std::size_t run : group.runs) {
    const auto found = amounts.find(study.runs[run].run);
    if (found == amounts.end()) continue;
    ginis.push_back(gini(found->second));
    for (int step = 0; step <= lorenz_steps; ++step) {
      shares[static_cast<std::size_t>(step)].push_back(100.0 *
                                                       lorenz(found->second, static_cast<double>(step) / lorenz_steps));
    }
  }
  if (ginis.empty()) return;
  for (int step = 0; step <= lorenz_steps; ++step) {
    data.add(vega::grid_values(
        group.cell, {metric, 100.0 * step / lorenz_steps, summarise(shares[static_cast<std::size_t>(step)]).mean,
                     summarise(ginis).mean, static_cast<std::int64_t>(ginis.size())}));
  }
}

void choose_attack(Json& spec, const Study& study) {
  if (study.attacks.size() < 2) return;
  spec["params"].push_back(vega::choice("attack", "Attack", study.attacks));
  spec["transform"].push_back(vega::filter("datum.attack == attack"));
}

void choose_rule(Json& spec, const Study& study) {
  if (study.rules.size() < 2) return;
  spec["params"].push_back(vega::choice("rule", "Rule", study.rules));
  spec["transform"].push_back(vega::filter("datum.rule == rule"));
}

std::string lorenz_spec(const Study& study, const std::vector<std::string>& metrics) {
  Json spec = vega::specification();
  const std::vector<std::string> titles =
      metrics.size() > 1 ? std::vector<std::string>{"weight in the model", "income"} : metrics;
  spec["params"] = {vega::choice("metric", "Of", metrics, titles)};
  spec["transform"] = {vega::filter("datum.metric == metric")};
  choose_attack(spec, study);
  vega::choose_axes(spec, study, false);
  spec["width"] = "container";
  spec["height"] = 320;
  const Json whole = {{"domain", {0, 100}}};
  Json x = vega::channel("part", "quantitative", "clients, poorest first (%)");
  Json y = vega::channel("share", "quantitative", "share of the sum (%)");
  x["scale"] = whole;
  y["scale"] = whole;
  Json encoding = {{"x", x}, {"y", y}, {"opacity", vega::faded()}};
  vega::colour_by(encoding, "rule", "rule", study.rules.size());
  encoding["tooltip"] = {vega::line("rule", "rule"), vega::line("part", "clients (%)", ".3~g"),
                         vega::line("share", "share (%)", ".3~g"), vega::line("gini", "Gini index", ".3f"),
                         vega::line("runs", "runs")};
  const Json diagonal = {
      {"values", Json::array({Json{{"part", 0}, {"share", 0}}, Json{{"part", 100}, {"share", 100}}})}};
  spec["layer"] = {Json{{"data", diagonal},
                        {"transform", Json::array()},
                        {"mark", {{"type", "line"}, {"strokeDash", {4, 4}}, {"color", "#888888"}, {"strokeWidth", 1}}},
                        {"encoding", {{"x", x}, {"y", y}}}},
                   Json{{"params", {vega::legend_choice("rule")}},
                        {"mark", {{"type", "line"}, {"strokeWidth", 2}, {"tooltip", true}}},
                        {"encoding", encoding}}};
  // The filters are about the curves, not about the diagonal.
  spec["layer"][1]["transform"] = spec["transform"];
  spec.erase("transform");
  return vega::text_of(spec);
}

void add_lorenz_figure(const Study& study, const Database& view, std::vector<Figure>& figures) {
  DataSet data(vega::grid_columns(study, {"metric", "part", "share", "gini", "runs"}));
  std::vector<std::string> metrics;
  for (const auto& [metric, sql] : {std::pair("weight", weights_of_clients), std::pair("income", pay_of_clients)}) {
    const std::size_t before = data.rows();
    const Amounts amounts = read_amounts(view, sql);
    for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) add_lorenz(study, group, metric, amounts, data);
    if (data.rows() > before) metrics.emplace_back(metric);
  }
  if (metrics.empty()) return;
  figures.push_back(
      {.id = "lorenz",
       .title = "How evenly weight and income are shared",
       .note =
           std::string("Lorenz curves, mean over seeds: weight of all clients that were ever asked, summed over "
                       "rounds (negative weight counts 0); income is what a client was paid. On the dashed line all "
                       "have the same.") +
           unfinished_note(study, RunsTaken::ended),
       .spec = lorenz_spec(study, metrics),
       .data = std::move(data),
       .metrics = metrics});
}

/// In the model of one buyer; the first has no name.
std::string weight_by_round(const std::string& buyer) {
  return fmt::format(
      "SELECT run, round, sum(CASE WHEN malicious THEN weight ELSE 0 END) / nullif(sum(weight), 0) "
      "FROM selection_summary s JOIN {} USING (run, buyer) "
      "WHERE (SELECT max(attacker_group) FROM agent a WHERE a.run = s.run) >= 0 GROUP BY run, round ORDER BY run, "
      "round",
      accounts_of_buyer(buyer));
}

/// Bookings of everybody, and of one buyer.
constexpr const char* all_bookings = "ledger";
std::string bookings_of(const std::string& buyer) {
  return fmt::format("(SELECT ledger.* FROM ledger JOIN {} USING (run, buyer))", accounts_of_buyer(buyer));
}

/// What clients were paid in these bookings up to every round of the runs with a market, in all and as attackers,
/// beside their numbers.
std::string paid_so_far(const std::string& bookings) {
  return fmt::format(
      "WITH paid AS (SELECT l.run, l.round, sum(micro_credits) AS amount, "
      "  sum(CASE WHEN attacker_group >= 0 THEN micro_credits ELSE 0 END) AS attackers "
      "  FROM {} l JOIN agent a ON a.run = l.run AND a.agent = l.payee WHERE kind = 'payment' GROUP BY l.run, "
      "l.round), "
      "market AS (SELECT run, count(*) AS clients, sum(attacker_group >= 0) AS attackers FROM agent "
      "  WHERE run IN (SELECT run FROM ledger) GROUP BY run), "
      "so_far AS (SELECT r.run, r.round, total(p.amount) OVER past AS amount, total(p.attackers) OVER past AS "
      "to_attackers, "
      "  m.clients, m.attackers FROM round r JOIN market m ON m.run = r.run "
      "  LEFT JOIN paid p ON p.run = r.run AND p.round = r.round WINDOW past AS (PARTITION BY r.run ORDER BY "
      "r.round)) ",
      bookings);
}

/// Until the buyer paid somebody, there is no share.
std::string income_share_by_round(const std::string& buyer) {
  return paid_so_far(bookings_of(buyer)) +
         "SELECT run, round, to_attackers / nullif(amount, 0) FROM so_far WHERE attackers > 0 ORDER BY run, round";
}

/// In credits per client of the group; of runs that have such clients.
std::string income_by_round(bool malicious) {
  const std::string amount = malicious ? "to_attackers" : "amount - to_attackers";
  const std::string clients = malicious ? "attackers" : "clients - attackers";
  return fmt::format("{} SELECT run, round, {} * ({}) / ({}) FROM so_far WHERE {} > 0 ORDER BY run, round",
                     paid_so_far(all_bookings), credits, amount, clients, clients);
}

void add_group_figure(const Study& study, const Database& view, std::vector<Figure>& figures) {
  DataSet data(curve_columns(study));
  std::vector<std::string> metrics;
  const std::vector<SeedGroup> groups = seed_groups(study, RunsTaken::with_unfinished);
  const auto add = [&](const std::string& metric, const std::string& sql) {
    const std::size_t before = data.rows();
    const auto series = read_series(view, sql);
    for (const SeedGroup& group : groups) add_mean_series(study, group, metric, series, data);
    if (data.rows() > before) metrics.push_back(metric);
  };
  std::vector<std::string> buyers{""};
  buyers.insert(buyers.end(), study.rivals.begin(), study.rivals.end());
  for (const std::string& buyer : buyers) {
    const std::string prefix = buyer.empty() ? "" : fmt::format("buyer.{}.", buyer);
    add(prefix + malicious_weight_share, weight_by_round(buyer));
    add(prefix + malicious_income_share, income_share_by_round(buyer));
  }
  if (metrics.empty()) return;
  figures.push_back(
      {.id = "groups",
       .title = "What attackers get, over rounds",
       .note =
           std::string("Weight: the attackers' share of the weight in the round's step. Income: their share of what "
                       "clients were paid up to the round, from the first payment on. Mean over seeds, bands as "
                       "above.") +
           unfinished_note(study, RunsTaken::with_unfinished),
       .spec = curve_spec(study, metrics, has_intervals(groups)),
       .data = std::move(data),
       .metrics = metrics});
}

void add_income_figure(const Study& study, const Database& view, std::vector<Figure>& figures) {
  DataSet data(vega::grid_columns(study, {"group", "round", "mean", "runs"}));
  for (const bool malicious : {false, true}) {
    const auto series = read_series(view, income_by_round(malicious));
    for (const SeedGroup& group : seed_groups(study, RunsTaken::with_unfinished)) {
      DataSet mean(curve_columns(study));
      add_mean_series(study, group, "income", series, mean);
      for (std::size_t i = 0; i < mean.rows(); ++i) {
        data.add(vega::grid_values(group.cell, {malicious ? "malicious" : "benign", mean.at(i, "round"),
                                                mean.at(i, "mean"), mean.at(i, "runs")}));
      }
    }
  }
  if (data.empty()) return;
  Json spec = vega::specification();
  choose_rule(spec, study);
  choose_attack(spec, study);
  vega::choose_axes(spec, study, false);
  spec["width"] = "container";
  spec["height"] = 260;
  spec["mark"] = {{"type", "line"}, {"strokeWidth", 2}, {"point", {{"opacity", 0}, {"size", 80}}}};
  spec["encoding"] = {{"x", vega::round_channel()},
                      {"y", vega::channel("mean", "quantitative", "income per client (credits)")}};
  vega::colour_by(spec["encoding"], "group", "clients", 2);
  spec["encoding"]["tooltip"] = {vega::line("group", "clients"), vega::line("round", "round"),
                                 vega::line("mean", "credits", ".4~g"), vega::line("runs", "runs")};
  figures.push_back(
      {.id = "income",
       .title = "Income by group, over rounds",
       .note = std::string("What the clients of a group were paid up to the round, per client of the group; mean over "
                           "seeds.") +
               unfinished_note(study, RunsTaken::with_unfinished),
       .spec = vega::text_of(spec),
       .data = std::move(data)});
}

constexpr std::size_t most_payees = 40;

void add_flow_figure(const Study& study, const Database& view, std::vector<Figure>& figures) {
  DataSet data(vega::grid_columns(study, {"payer", "payee", "group", "credits"}));
  const auto name = [](std::int64_t account) {
    if (account >= 0) return fmt::format("{}", account);
    if (account <= first_outsider) return fmt::format("principal {}", 1 + first_outsider - account);
    return account == -1 ? std::string("escrow") : fmt::format("buyer {}", -1 - account);
  };
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    if (group.runs.empty()) continue;
    Statement select(view,
                     fmt::format("SELECT CASE WHEN payer = -1 THEN buyer ELSE payer END AS source, payee, "
                                 "coalesce((SELECT attacker_group FROM agent a WHERE a.run = "
                                 "l.run AND a.agent = payee), -1), sum(micro_credits) AS amount FROM ledger l "
                                 "WHERE run = {} AND payer <> payee AND kind NOT LIKE 'deposit%' AND kind NOT IN "
                                 "('escrow', 'refund') AND payee IN (SELECT "
                                 "payee FROM ledger WHERE "
                                 "run = {} GROUP BY payee ORDER BY sum(micro_credits) DESC, payee LIMIT {}) "
                                 "GROUP BY source, payee ORDER BY source, payee",
                                 study.runs[group.runs.front()].run, study.runs[group.runs.front()].run, most_payees));
    while (select.step()) {
      data.add(
          vega::grid_values(group.cell, {name(select.integer(0)), name(select.integer(1)),
                                         select.integer(2) >= 0 ? "malicious" : "benign", select.real(3) * credits}));
    }
  }
  if (data.empty()) return;
  Json spec = vega::specification();
  choose_rule(spec, study);
  choose_attack(spec, study);
  vega::choose_axes(spec, study, false);
  spec["width"] = {{"step", 22}};
  spec["height"] = {{"step", 22}};
  spec["mark"] = {{"type", "rect"}, {"tooltip", true}};
  Json x = vega::channel("payee", "nominal", "paid to");
  x["sort"] = {{"op", "sum"}, {"field", "credits"}, {"order", "descending"}};
  Json colour = vega::channel("credits", "quantitative", "credits");
  colour["scale"] = {{"scheme", "viridis"}};
  const Json tooltip = {vega::line("payer", "from"), vega::line("payee", "to"), vega::line("group", "who is"),
                        vega::line("credits", "credits", ".6~g")};
  spec["encoding"] = {
      {"x", x}, {"y", vega::channel("payer", "nominal", "paid by")}, {"color", colour}, {"tooltip", tooltip}};
  figures.push_back(
      {.id = "flows",
       .title = "Who paid whom",
       .note = fmt::format("Sums over all rounds of the ledger in the first run of a setting, by agent; the "
                           "{} accounts that were paid most.{}",
                           most_payees, unfinished_note(study, RunsTaken::ended)),
       .spec = vega::text_of(spec),
       .data = std::move(data)});
}

}  // namespace

std::vector<Figure> selection_and_payment(const Study& study, const Database& view) {
  std::vector<Figure> figures;
  add_group_figure(study, view, figures);
  add_lorenz_figure(study, view, figures);
  add_income_figure(study, view, figures);
  add_flow_figure(study, view, figures);
  return figures;
}

}  // namespace souk
