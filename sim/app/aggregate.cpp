#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/commands.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/stopwatch.hpp"
#include "sim/comm/session.hpp"
#include "sim/data/npy_array.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

/// The arguments as changes of a scenario: "f=5" is told to all as tolerated_f, "k=v" goes to the rule, "NAME.k=v" to
/// the rule or pre-aggregator of that name.
std::vector<std::string> overrides_of(const AggregateArguments& arguments) {
  const std::vector<std::string> rules = PluginRegistry<Aggregator>::instance().names();
  SOUK_REQUIRE(std::find(rules.begin(), rules.end(), arguments.rule) != rules.end(), "there is no rule '{}'.{}",
               arguments.rule, did_you_mean(arguments.rule, rules));
  const std::string rule = "aggregator." + arguments.rule;
  std::vector<std::string> overrides{rule + "={}"};
  for (std::size_t p = 0; p < arguments.pre.size(); ++p) {
    overrides.push_back(fmt::format("aggregator.pre[{}].{}={{}}", p, arguments.pre[p]));
  }
  for (const std::string& setting : arguments.settings) {
    const std::string key = setting.substr(0, setting.find('='));
    const std::string name = key.substr(0, key.find('.'));
    if (key == "f") {
      overrides.push_back("aggregator.tolerated_f" + setting.substr(1));
    } else if (name == key) {
      overrides.push_back(rule + "." + setting);
    } else if (name == arguments.rule) {
      overrides.push_back("aggregator." + setting);
    } else {
      const auto stage = std::find(arguments.pre.begin(), arguments.pre.end(), name);
      SOUK_REQUIRE(stage != arguments.pre.end(), "--set {}: '{}' is neither the rule nor a pre-aggregator here",
                   setting, name);
      overrides.push_back(fmt::format("aggregator.pre[{}].{}", stage - arguments.pre.begin(), setting));
    }
  }
  return overrides;
}

/// A matrix in a file: [n, d] of float32, float64 or integers.
NpyArray open_matrix(const std::string& path) {
  NpyArray array = open_npy(path, "");
  SOUK_REQUIRE(array.shape.size() == 2 && array.shape[0] > 0 && array.shape[1] > 0,
               "{}: must be an n x d matrix with n and d above 0", path);
  return array;
}

/// Every rank reads the rows it owns, row i by rank i mod ranks.
void read_rows(const Comm& comm, const std::string& path, RowMatrix& rows) {
  NpyArray array = open_matrix(path);
  std::vector<AgentId> agents;
  std::vector<int> owners;
  for (std::uint32_t i = 0; i < array.shape[0]; ++i) {
    agents.push_back({i});
    owners.push_back(static_cast<int>(i) % comm.size());
  }
  rows.reset(comm, agents, owners, array.shape[1]);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    if (rows.is_local(i)) {
      read_npy(array, rows.row(i), Finite::any);
    } else {
      skip_npy(array, rows.dimension());
    }
  }
}

/// A vector of d values, on every rank; empty where no file is named.
std::vector<float> read_vector(const std::string& path, std::size_t dimension) {
  std::vector<float> values;
  if (path.empty()) return values;
  NpyArray array = open_npy(path, "");
  SOUK_REQUIRE(array.values == dimension, "{}: has {} values, the updates have {}", path, array.values, dimension);
  values.resize(dimension);
  read_npy(array, values);
  return values;
}

std::vector<std::size_t> finite_rows(const Comm& comm, const ColumnMatrix& updates) {
  std::vector<std::size_t> rows;
  const std::vector<double> squares = squared_norms(comm, updates);
  for (std::size_t i = 0; i < squares.size(); ++i) {
    if (std::isfinite(squares[i])) rows.push_back(i);
  }
  if (comm.rank() == 0 && rows.size() < squares.size()) {
    log::warning("{} of {} updates are not finite and were left out", squares.size() - rows.size(), squares.size());
  }
  return rows;
}

void require_servable(const AggregateArguments& arguments, const RuleNeeds& needs, std::int32_t f) {
  const std::string& rule = arguments.rule;
  SOUK_REQUIRE(!needs.root_data && !needs.validators && !needs.model,
               "{} needs a model and data to judge it by, which files of updates do not hold: use it in a scenario",
               rule);
  SOUK_REQUIRE(!needs.root_update || !arguments.root.empty(),
               "{} needs the server's own update: --root g.npy, a vector as long as an update", rule);
  SOUK_REQUIRE(!needs.tolerated_f || f >= 0, "{} needs a number of malicious updates to withstand: --set f=…", rule);
}

struct Files {
  RowMatrix rows;
  std::vector<float> root, global;
};

/// Every output that was asked for, or none.
void write_outputs(const AggregateArguments& arguments, std::span<const float> step, const RuleOutput& output,
                   std::span<const std::size_t> used, std::size_t n) {
  const auto of_all = [&](std::span<const double> values, double left_out) {
    std::vector<double> all(n, left_out);
    for (std::size_t k = 0; k < values.size(); ++k) all[used[k]] = values[k];
    return all;
  };
  const std::vector<std::pair<std::string, std::vector<double>>> outputs{
      {arguments.out, {step.begin(), step.end()}},
      {arguments.weights, of_all(output.weights, 0.0)},
      {arguments.scores, of_all(output.scores, std::numeric_limits<double>::quiet_NaN())}};
  std::vector<std::string> written;
  try {
    for (const auto& [path, values] : outputs) {
      if (path.empty()) continue;
      SOUK_REQUIRE(std::find(written.begin(), written.end(), path) == written.end(), "{}: is named for two outputs",
                   path);
      write_npy(path, values);
      written.push_back(path);
    }
  } catch (const InputError&) {
    for (const std::string& path : written) std::remove(path.c_str());
    throw;
  }
}

int aggregate_on(const Comm& comm, const AggregateArguments& arguments) {
  limit_blas_to_one_thread();
  ResolvedScenario resolved;
  std::unique_ptr<Aggregator> rule;
  Files files;
  comm.run_phase("read updates", [&] {
    resolved = resolve_scenario({.file_name = "souk aggregate", .text = "", .overrides = overrides_of(arguments)});
    rule = make_aggregator(resolved.scenario->aggregator());
    require_servable(arguments, rule->needs(), resolved.scenario->aggregator().tolerated_f());
    read_rows(comm, arguments.updates, files.rows);
    files.root = read_vector(arguments.root, files.rows.dimension());
    files.global = read_vector(arguments.global, files.rows.dimension());
  });
  ColumnMatrix received;
  to_columns(comm, files.rows, {0, files.rows.dimension()}, received);
  const std::vector<std::size_t> used = finite_rows(comm, received);
  const ColumnMatrix updates = received.select(comm, used);
  const auto f = static_cast<std::size_t>(std::max(0, resolved.scenario->aggregator().tolerated_f()));
  comm.run_phase("check", [&] {
    SOUK_REQUIRE(!used.empty(), "{}: no update is finite", arguments.updates);
    try {
      rule->check({.updates = used.size(), .tolerated_f = f});
    } catch (const InputError& error) {
      throw InputError(with_place(resolved, error.what()));
    }
  });
  std::vector<Submission> submissions;
  for (const std::size_t i : used) submissions.push_back({{static_cast<std::uint32_t>(i)}, 1});
  std::optional<ColumnVector> root, global;
  if (!files.root.empty()) root.emplace(comm, files.root);
  if (!files.global.empty()) global.emplace(comm, files.global);
  Stream random(arguments.seed, Purpose::aggregation, nobody, {1});
  comm.barrier();
  const Stopwatch watch;
  const RuleOutput output = rule->aggregate({.comm = comm,
                                             .round = {1},
                                             .submissions = submissions,
                                             .updates = updates,
                                             .random = random,
                                             .tolerated_f = f,
                                             .global = global ? &*global : nullptr,
                                             .root_update = root ? &*root : nullptr});
  comm.barrier();
  const double seconds = watch.seconds();
  std::vector<float> step(updates.dimension());
  replicate(comm, updates.plan(), output.step, step);
  comm.run_phase("write", [&] {
    SOUK_REQUIRE(arguments.scores.empty() || !output.scores.empty(), "--scores {}: {} gives no scores",
                 arguments.scores, arguments.rule);
    if (comm.rank() != 0) return;
    write_outputs(arguments, step, output, used, files.rows.rows());
    const double bytes = static_cast<double>(updates.rows() * updates.dimension() * sizeof(float));
    fmt::print("{} n={} d={} ranks={} seconds={:.6f} bytes_per_second={:.4g}\n", arguments.rule, updates.rows(),
               updates.dimension(), comm.size(), seconds, bytes / seconds);
  });
  return exit_done;
}

}  // namespace

int aggregate_command(const AggregateArguments& arguments) {
  const MpiSession session;
  const Comm comm = session.world();
  log::start(log::Level::info, comm.rank());
  try {
    return aggregate_on(comm, arguments);
  } catch (const PhaseError& error) {
    if (comm.rank() == 0) log::error("{}", error.what());
    return error.exit_code();
  }
}

}  // namespace souk
