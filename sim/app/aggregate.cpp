#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>

#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/collective_command.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/update_files.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/base/stopwatch.hpp"
#include "sim/base/streams.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

/// The arguments as changes of a scenario: settings without a name go to the rule.
std::vector<std::string> changes_of(const AggregateArguments& arguments) {
  std::vector<std::string> overrides = overrides_of(arguments.rule);
  for (const std::string& setting : arguments.settings) {
    if (const auto change = override_of(arguments.rule, setting)) {
      overrides.push_back(*change);
      continue;
    }
    const std::string key = setting.substr(0, setting.find('='));
    SOUK_REQUIRE(key.find('.') == std::string::npos, "--set {}: '{}' is neither the rule nor a pre-aggregator here",
                 setting, key.substr(0, key.find('.')));
    overrides.push_back(fmt::format("aggregator.{}.{}", arguments.rule.rule, setting));
  }
  return overrides;
}

std::vector<std::size_t> finite_rows_of(const Comm& comm, const ColumnMatrix& updates) {
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
  for (const auto& [path, values] : outputs) {
    if (!path.empty()) write_npy(path, values);
  }
}

/// Before anything is computed or written: all outputs can be, and none is in another's place.
void require_outputs(const AggregateArguments& arguments) {
  std::vector<std::string> named;
  for (const std::string& path : {arguments.out, arguments.weights, arguments.scores}) {
    if (path.empty()) continue;
    require_writable(path);
    SOUK_REQUIRE(std::find(named.begin(), named.end(), path) == named.end(), "{}: is named for two outputs", path);
    if (std::filesystem::is_regular_file(path) || !std::filesystem::exists(path)) named.push_back(path);
  }
}

void aggregate_on(const Comm& comm, const AggregateArguments& arguments) {
  ResolvedScenario resolved;
  std::unique_ptr<Aggregator> rule;
  Files files;
  comm.run_phase("read updates", [&] {
    if (comm.rank() == 0) require_outputs(arguments);
    resolved = in_given_words(arguments.rule, [&] {
      return resolve_scenario({.file_name = "souk aggregate", .text = "", .overrides = changes_of(arguments)});
    });
    rule = make_aggregator(resolved.scenario->aggregator());
    require_servable(arguments.rule.rule, rule->needs(), !arguments.root.empty(),
                     resolved.scenario->aggregator().tolerated_f());
    read_updates(comm, arguments.updates, Finite::any, files.rows);
    files.root = read_vector(arguments.root, files.rows.dimension());
    files.global = read_vector(arguments.global, files.rows.dimension());
  });
  ColumnMatrix received;
  to_columns(comm, files.rows, {0, files.rows.dimension()}, received);
  const std::vector<std::size_t> used = finite_rows_of(comm, received);
  const ColumnMatrix updates = received.select(comm, used);
  const auto f = static_cast<std::size_t>(std::max(0, resolved.scenario->aggregator().tolerated_f()));
  comm.run_phase("check", [&] {
    SOUK_REQUIRE(!used.empty(), "{}: no update is finite", arguments.updates);
    in_given_words(arguments.rule, [&] { rule->check({.updates = used.size(), .tolerated_f = f}); });
  });
  std::vector<Submission> submissions;
  for (const std::size_t i : used) submissions.push_back({{static_cast<std::uint32_t>(i)}, 1});
  std::optional<ColumnVector> root, global;
  if (!files.root.empty()) root.emplace(comm, files.root);
  if (!files.global.empty()) global.emplace(comm, files.global);
  Stream random(arguments.seed, streams::rule(0, {1}));
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
                 arguments.scores, arguments.rule.rule);
    if (comm.rank() != 0) return;
    write_outputs(arguments, step, output, used, files.rows.rows());
    const double bytes = static_cast<double>(updates.rows() * updates.dimension() * sizeof(float));
    const bool to_reader = std::ranges::any_of(std::array{arguments.out, arguments.weights, arguments.scores},
                                               [](const std::string& path) { return is_standard_output(path); });
    fmt::print(to_reader ? stderr : stdout, "{} n={} d={} ranks={} seconds={:.6f} bytes_per_second={:.4g}\n",
               arguments.rule.rule, updates.rows(), updates.dimension(), comm.size(), seconds, bytes / seconds);
  });
}

}  // namespace

int aggregate_command(const AggregateArguments& arguments) {
  return run_collectively([&](const Comm& comm) { aggregate_on(comm, arguments); });
}

}  // namespace souk
