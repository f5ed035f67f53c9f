#include "analysis/results/view_schema.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace souk {
namespace {

constexpr ViewColumn run_number{"run", "INTEGER", "", "number of the run in this export", ResultKind::result};
constexpr ViewColumn round_number{"round", "INTEGER", "", "number from 1; 0: before the first round",
                                  ResultKind::result};
constexpr ViewColumn buyer_account{
    "buyer", "INTEGER", "",
    "account of the server or first buyer, -2, or of a rival: -3, -4, … in the order of market.rivals"};
constexpr ViewColumn sweep_name{"sweep", "TEXT", "", "name of the sweep; empty for runs outside sweeps",
                                ResultKind::result};

constexpr std::array run_columns{
    run_number,
    ViewColumn{"id", "TEXT", "", "first 12 digits of its identity, the SHA-256 of what decides its result"},
    ViewColumn{"name", "TEXT", "", "name of the scenario"},
    ViewColumn{"sweep", "TEXT", "", "sweep that these rows are from; empty: none (the table cell has all it is in)"},
    ViewColumn{"path", "TEXT", "", "directory", ResultKind::measurement},
    ViewColumn{"status", "TEXT", "",
               "done, running, diverged, failed, interrupted (also by being killed), crashed, timed_out; damaged: "
               "cannot be read; missing: never started"},
    ViewColumn{"reason", "TEXT", "", "why it ended early; empty if it did not"},
    ViewColumn{"failures", "INTEGER", "count", "failed attempts", ResultKind::measurement},
    ViewColumn{"seed", "INTEGER", "", "seed of every random stream"},
    ViewColumn{"rounds", "INTEGER", "rounds", "rounds asked for"},
    ViewColumn{"rounds_done", "INTEGER", "rounds", "last committed round"},
    ViewColumn{"aggregator", "TEXT", "", "rule, pre-aggregators before it: nnm+krum"},
    ViewColumn{"attack", "TEXT", "", "attacks of the groups that ever act, joined by +; none"},
    ViewColumn{"malicious", "REAL", "share", "clients in attacker groups that ever act, of all clients"},
    ViewColumn{"partition", "TEXT", "", "how samples are dealt"},
    ViewColumn{"dataset", "TEXT", "", "built-in data set, or name of the file or folder"},
    ViewColumn{"model", "TEXT", "", "network"},
    ViewColumn{"seconds", "REAL", "seconds", "wall-clock time of set-up and all phases", ResultKind::measurement},
    ViewColumn{"scenario", "TEXT", "", "the resolved scenario in text format"},
};

constexpr std::array cell_columns{
    ViewColumn{"cell", "INTEGER", "", "number of the cell in this export"},
    sweep_name,
    ViewColumn{"number", "INTEGER", "", "number within the sweep, in the order of its grid"},
    ViewColumn{"block", "TEXT", "", "part of the grid it comes from"},
    ViewColumn{"run", "INTEGER", "", "the run that has its results; cells with equal scenarios share one"},
};

constexpr std::array axis_columns{
    sweep_name,
    ViewColumn{"position", "INTEGER", "", "order of the axes"},
    ViewColumn{"name", "TEXT", "", "name of the axis"},
};

constexpr std::array axis_value_columns{
    sweep_name,
    ViewColumn{"axis", "TEXT", "", "name of the axis"},
    ViewColumn{"position", "INTEGER", "", "order of the values"},
    ViewColumn{"value", "TEXT", "", "label of the value"},
};

constexpr std::array coordinate_columns{
    ViewColumn{"cell", "INTEGER", "", "number of the cell in this export"},
    ViewColumn{"axis", "TEXT", "", "name of the axis"},
    ViewColumn{"value", "TEXT", "", "where the cell lies on it"},
};

constexpr std::array setting_columns{
    run_number,
    ViewColumn{"path", "TEXT", "", "field of the resolved scenario, such as partition.dirichlet.alpha"},
    ViewColumn{"value", "TEXT", "", "its value as --set takes it"},
};

constexpr std::array fact_columns{
    run_number,
    ViewColumn{"name", "TEXT", "", "name of the fact"},
    ViewColumn{"value", "TEXT", "", "its value"},
};

constexpr std::array agent_columns{
    run_number,
    ViewColumn{"agent", "INTEGER", "", "number of the agent, from 0"},
    ViewColumn{"role", "TEXT", "", "client"},
    ViewColumn{"samples", "INTEGER", "samples", "training samples it holds"},
    ViewColumn{"attacker_group", "INTEGER", "",
               "index of its group in attacks; -1: benign, or of a group that never acts"},
    ViewColumn{"compute", "REAL", "flop/s", "speed of its simulated device"},
    ViewColumn{"bandwidth", "REAL", "bytes/s", "of its simulated network, each way"},
};

constexpr std::array partition_columns{
    run_number,
    ViewColumn{"agent", "INTEGER", "", "number of the agent"},
    ViewColumn{"class", "INTEGER", "", "class of the samples"},
    ViewColumn{"samples", "INTEGER", "samples", "samples of the class that it holds; no row: none"},
};

constexpr std::array round_columns{
    run_number,
    round_number,
    ViewColumn{"virtual_seconds", "REAL", "seconds", "length of the round on the virtual clock"},
    ViewColumn{"virtual_time", "REAL", "seconds", "on the virtual clock since the start, this round included"},
    ViewColumn{"stop", "TEXT", "", "why the run ended with this round: target, patience, diverged"},
};

constexpr std::array metric_columns{
    run_number,
    round_number,
    ViewColumn{"name", "TEXT", "", "name of the metric; explained below the table"},
    ViewColumn{"agent", "INTEGER", "", "agent it is about; -1: the whole federation"},
    ViewColumn{"class", "INTEGER", "", "class it is about; -1: all"},
    ViewColumn{"value", "REAL", "", "the value; NULL: it does not exist"},
};

constexpr std::array selection_columns{
    run_number,
    round_number,
    buyer_account,
    ViewColumn{"agent", "INTEGER", "", "agent that was asked"},
    ViewColumn{"outcome", "TEXT", "", "accepted, rejected, outbid, dropout, late, spare, invalid"},
    ViewColumn{"samples", "INTEGER", "samples", "training samples it holds"},
    ViewColumn{"arrival_seconds", "REAL", "seconds", "arrival of its update on the virtual clock; 0 for a dropout"},
    ViewColumn{"weight", "REAL", "share", "share of its update in the step"},
    ViewColumn{"score", "REAL", "", "trust of the rule in it; NULL if the rule has none"},
};

constexpr std::array selection_summary_columns{
    run_number,
    round_number,
    buyer_account,
    ViewColumn{"outcome", "TEXT", "", "accepted, rejected, outbid, dropout, late, spare, invalid"},
    ViewColumn{"malicious", "INTEGER", "", "1: agents of attacker groups; 0: the others"},
    ViewColumn{"agents", "INTEGER", "count", "agents with this outcome"},
    ViewColumn{"weight", "REAL", "share", "sum of their weights in the step"},
};

constexpr std::array selection_map_columns{
    run_number,
    buyer_account,
    ViewColumn{"malicious", "INTEGER", "", "1: agents of attacker groups that ever act; 0: the others"},
    ViewColumn{"band", "INTEGER", "", "number of the agents among those of their side, from 0"},
    ViewColumn{"first_round", "INTEGER", "", "first of the rounds"},
    ViewColumn{"last_round", "INTEGER", "", "last of the rounds"},
    ViewColumn{"first_agent", "INTEGER", "", "smallest number of the agents"},
    ViewColumn{"last_agent", "INTEGER", "", "largest number of the agents"},
    ViewColumn{"agents", "INTEGER", "count", "agents that share a field"},
    ViewColumn{"asked", "INTEGER", "count", "updates that were asked for"},
    ViewColumn{"judged", "INTEGER", "count", "of them: accepted, rejected, outbid or invalid"},
    ViewColumn{"accepted", "INTEGER", "count", "of them: accepted"},
    ViewColumn{"weight", "REAL", "shares", "sum of their weights in the steps; NULL under a rule by coordinate"},
};

constexpr std::array traffic_columns{
    run_number,
    round_number,
    ViewColumn{"kind", "TEXT", "", "model, update, candidate model, validation report"},
    ViewColumn{"messages", "INTEGER", "count", "messages of the simulated protocol"},
    ViewColumn{"bytes", "INTEGER", "bytes", "their length"},
};

constexpr std::array event_columns{
    run_number,
    round_number,
    ViewColumn{"sequence", "INTEGER", "", "order within the round"},
    ViewColumn{"kind", "TEXT", "", "what happened"},
    ViewColumn{"agent", "INTEGER", "", "to whom; -1: the whole federation"},
    ViewColumn{"text", "TEXT", "", "details"},
};

constexpr std::array ledger_columns{
    run_number,
    round_number,
    ViewColumn{"sequence", "INTEGER", "", "order within the round"},
    ViewColumn{"buyer", "INTEGER", "",
               "account of the buyer in whose round it is booked: -2, -3, …; -1: what sellers start with"},
    ViewColumn{"kind", "TEXT", "", "issue, escrow, deposit, payment, deposit back, forfeit, penalty, refund"},
    ViewColumn{"payer", "INTEGER", "",
               "agent that pays; -1: the market's escrow, -2: the first buyer, -3, -4, …: its rivals in their order"},
    ViewColumn{"payee", "INTEGER", "", "agent that is paid, numbered likewise"},
    ViewColumn{"micro_credits", "INTEGER", "millionths of a credit", "amount"},
};

constexpr ViewColumn inferring{"attack", "TEXT", "", "name of the attack on edges (service.attacks)"};

constexpr std::array columns_of_requests{
    run_number,
    round_number,
    ViewColumn{"sequence", "INTEGER", "", "order within the round"},
    ViewColumn{"principal", "TEXT", "", "who asked the served model (service.principals)"},
    ViewColumn{"attack", "TEXT", "", "name of the attack on edges that it asked for"},
    ViewColumn{"kind", "TEXT", "", "read, write, registration, edge"},
    ViewColumn{"target", "INTEGER", "", "node whose list of pairs was worked on; -1: before any"},
    ViewColumn{"requests", "INTEGER", "count", "requests, refused ones included"},
    ViewColumn{"refused", "INTEGER", "count", "of them: refused"},
    ViewColumn{"ticks", "INTEGER", "ticks", "of the service's clock that the work on the target took"},
    ViewColumn{"micro_credits", "INTEGER", "millionths of a credit", "paid for the requests"},
};

constexpr std::array pair_columns{
    run_number,
    round_number,
    inferring,
    ViewColumn{"target", "INTEGER", "", "node"},
    ViewColumn{"candidate", "INTEGER", "", "node that may be its neighbour"},
    ViewColumn{"score", "REAL", "", "the higher, the rather an edge; NULL: not reached, or refused"},
    ViewColumn{"edge", "INTEGER", "", "1: they are neighbours; 0: they are not"},
    ViewColumn{"same_class", "INTEGER", "", "1: they have one class; 0: they have two"},
};

constexpr std::array pair_curve_columns{
    run_number,
    inferring,
    ViewColumn{
        "curve", "TEXT", "",
        "roc: x false, y true positive rate; precision_recall: x recall, y precision; of all pairs of the attack"},
    ViewColumn{"point", "INTEGER", "", "order along the curve, the highest scores first; at most 200"},
    ViewColumn{"x", "REAL", "share", "see curve"},
    ViewColumn{"y", "REAL", "share", "see curve"},
};

constexpr std::array pair_rank_columns{
    run_number,
    inferring,
    ViewColumn{"part", "INTEGER", "", "twentieth of the attack's pairs by the rank of their score, 0 for the lowest"},
    ViewColumn{"edges", "INTEGER", "count", "neighbours among its pairs"},
    ViewColumn{"others", "INTEGER", "count", "pairs that are no neighbours among them"},
};

constexpr std::array agent_summary_columns{
    run_number,
    ViewColumn{"agent", "INTEGER", "", "number of the agent"},
    ViewColumn{"role", "TEXT", "", "client"},
    ViewColumn{"attacker_group", "INTEGER", "",
               "index of its group in attacks; -1: benign, or of a group that never acts"},
    ViewColumn{"samples", "INTEGER", "samples", "training samples it holds"},
    ViewColumn{"asked", "INTEGER", "rounds", "rounds in which the server or first buyer asked it"},
    ViewColumn{"accepted", "INTEGER", "rounds", "rounds in which its update was accepted by it"},
    ViewColumn{"weight_sum", "REAL", "shares", "sum of its weights over rounds in that model"},
    ViewColumn{"update_norm_mean", "REAL", "", "mean length of its updates; NULL if not recorded"},
    ViewColumn{"cosine_mean", "REAL", "", "mean cosine of its updates and the steps; NULL if not recorded"},
    ViewColumn{"income", "INTEGER", "millionths of a credit", "what it was paid less what it paid, by all buyers"},
    ViewColumn{"value_mean", "REAL", "", "mean value of its updates by the market's valuation, if there is one"},
};

constexpr std::array phase_columns{
    run_number,
    round_number,
    ViewColumn{"phase", "TEXT", "", "part of the round"},
    ViewColumn{"seconds", "REAL", "seconds", "wall-clock time, longest over the ranks"},
    ViewColumn{"busy_seconds", "REAL", "seconds", "wall-clock time summed over the ranks, without waiting"},
    ViewColumn{"share", "REAL", "share", "of the time of the round"},
};

constexpr std::array privacy_columns{
    run_number,
    round_number,
    ViewColumn{"agent", "INTEGER", "", "whose data: a client, an account (-2, -3, ...), or -1: everybody's"},
    ViewColumn{"unit", "TEXT", "", "what neighbouring data differ in"},
    ViewColumn{"mechanism", "TEXT", "", "what adds the noise"},
    ViewColumn{"releases", "INTEGER", "count", "so far"},
    ViewColumn{"epsilon", "REAL", "", "of all releases so far; NULL: no bound holds"},
    ViewColumn{"delta", "REAL", "", "with which epsilon goes"},
};

constexpr std::array reconstruction_columns{
    run_number,
    round_number,
    ViewColumn{"attack", "TEXT", "", "name of the attack on what updates give away"},
    ViewColumn{"agent", "INTEGER", "", "client whose sample it is"},
    ViewColumn{"sample", "INTEGER", "", "its number in the training set"},
    ViewColumn{"class", "INTEGER", "", "its class"},
    ViewColumn{"claim", "INTEGER", "", "which of the claimed samples was compared with it; NULL: none was left"},
    ViewColumn{"claimed_class", "INTEGER", "", "that of the claim; NULL: nothing was claimed of it"},
    ViewColumn{"mse", "REAL", "", "mean squared error of the claim"},
    ViewColumn{"psnr", "REAL", "dB", "peak signal to noise of the claim"},
    ViewColumn{"ssim", "REAL", "", "structural similarity of the claim; NULL: images are too small"},
    ViewColumn{"identified", "INTEGER", "", "1: it is nearest to the claim among a pool of its class"},
};

constexpr std::array process_columns{
    run_number,
    round_number,
    ViewColumn{"rank", "INTEGER", "", "rank of the process"},
    ViewColumn{"peak_rss_bytes", "INTEGER", "bytes", "largest resident set since it started"},
    ViewColumn{"page_faults", "INTEGER", "count", "minor and major, in this round"},
};

// Keys lead with what charts and tables look for: one metric of one run over the rounds.
const std::array tables{
    ViewTable{"run", "runs, one per row; derived columns are those of the resolved scenario", "run", run_columns},
    ViewTable{"cell", "cells of sweeps, and every run that no sweep has", "cell", cell_columns},
    ViewTable{"axis", "axes of sweeps; for runs outside sweeps, what differs between them", "sweep, position",
              axis_columns},
    ViewTable{"axis_value", "values of axes in their order", "sweep, axis, position", axis_value_columns},
    ViewTable{"coordinate", "where cells lie on the axes", "cell, axis", coordinate_columns},
    ViewTable{"setting", "every field of the resolved scenarios", "run, path", setting_columns},
    ViewTable{"fact", "facts about runs: the table run of results.sqlite", "run, name", fact_columns},
    ViewTable{"agent", "clients", "run, agent", agent_columns, ResultKind::result, true},
    ViewTable{"partition", "who holds how many samples of which class", "run, agent, class", partition_columns,
              ResultKind::result, true},
    ViewTable{"round", "rounds on the virtual clock", "run, round", round_columns, ResultKind::result, true},
    ViewTable{"metric", "numbers over rounds", "run, name, agent, class, round", metric_columns, ResultKind::result,
              true},
    ViewTable{"selection", "what became of each client that was asked", "run, round, buyer, agent", selection_columns,
              ResultKind::result, true},
    ViewTable{"selection_summary", "selections counted by buyer and outcome", "run, round, buyer, outcome, malicious",
              selection_summary_columns},
    ViewTable{"selection_map", "selections by agents and rounds, several to a field where there are more than 100",
              "run, buyer, malicious, band, first_round", selection_map_columns},
    ViewTable{"traffic", "messages of the simulated protocol", "run, round, kind", traffic_columns, ResultKind::result,
              true},
    ViewTable{"event", "what happened beside the numbers", "run, round, sequence", event_columns, ResultKind::result,
              true},
    ViewTable{"ledger", "money that changed hands", "run, round, sequence", ledger_columns, ResultKind::result, true},
    ViewTable{"request", "what principals asked of a served model", "run, round, sequence", columns_of_requests,
              ResultKind::result, true, true},
    ViewTable{"pair", "pairs of nodes that attacks on edges were asked about", "run, attack, target, candidate",
              pair_columns, ResultKind::result, true, true},
    ViewTable{"privacy", "what was given away about whose data, as far as noise bounds it",
              "run, round, agent, unit, mechanism", privacy_columns, ResultKind::result, true, true},
    ViewTable{"reconstruction", "samples of clients beside what attacks made of their updates",
              "run, round, attack, agent, sample", reconstruction_columns, ResultKind::result, true, true},
    ViewTable{"pair_curve", "how well scores of pairs tell edges", "run, attack, curve, point", pair_curve_columns},
    ViewTable{"pair_rank", "edges and other pairs by the rank of their scores", "run, attack, part", pair_rank_columns},
    ViewTable{"agent_summary", "clients over the whole run", "run, agent", agent_summary_columns},
    ViewTable{"phase", "wall-clock time of the parts of a round", "run, round, phase", phase_columns,
              ResultKind::measurement, true},
    ViewTable{"process", "memory of the processes", "run, round, rank", process_columns, ResultKind::measurement, true},
};

constexpr std::array<std::string_view, 9> measured_facts{"started", "finished", "version", "commit",  "libtorch",
                                                         "mpi",     "blas",     "ranks",   "failures"};

}  // namespace

std::span<const ViewTable> view_tables() { return tables; }

std::string view_schema_sql() {
  std::string sql = fmt::format("PRAGMA user_version = {};\n", view_schema_version);
  for (const ViewTable& table : tables) {
    sql += fmt::format("CREATE TABLE {}(", table.name);
    for (const ViewColumn& column : table.columns) sql += fmt::format("{} {}, ", column.name, column.type);
    sql += fmt::format("PRIMARY KEY({})) WITHOUT ROWID;\n", table.key);
  }
  return sql;
}

bool is_measured_fact(std::string_view name) {
  return name.starts_with("seconds") || std::ranges::find(measured_facts, name) != measured_facts.end();
}

}  // namespace souk
