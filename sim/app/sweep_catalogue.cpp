#include "sim/app/sweep_catalogue.hpp"

#include <algorithm>
#include <set>

#include "agents/simulation.hpp"
#include "agents/training/saved_model.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/memory.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

/// Before anything was measured: of one core, in small layers.
constexpr double assumed_flops_per_second = 1.2e11;

ResolvedScenario resolved(const PlannedRun& run) { return resolve_scenario({run.id(), run.scenario, {}}); }

/// Without a GPU: processes forked after one was used cannot use it.
Estimate estimate_one(const PlannedRun& run, const SharedData& data) {
  const ResolvedScenario scenario = resolved(run);
  try {
    const RunEstimate need = make_simulation(Comm::self(), *scenario.scenario, "cpu", data)->estimate(1);
    const double rounds = scenario.scenario->rounds();
    const double tests = std::max(1.0, rounds / scenario.scenario->evaluation().every());
    const double flops = rounds * (need.training_flops() + need.judging_flops()) + tests * need.flops_per_test;
    return {flops / assumed_flops_per_second, need.rank_bytes(), ""};
  } catch (const PhaseError& error) {
    return {0.0, 0.0, error.what()};
  }
}

}  // namespace

SweepCatalogue::SweepCatalogue(const Comm& comm, SweepPlan& plan, Keep keep) {
  auto room = -comm.all_max(-static_cast<std::int64_t>(available_memory() / 4.0));  // the same on every node
  for (PlannedRun& run : plan.runs) {
    const ResolvedScenario scenario = resolved(run);
    const auto& data = scenario.scenario->task().data();
    const std::string key = data_key(data, scenario.scenario->seed());
    if (!entries_.contains(key)) {
      Entry entry{load_shared_data(comm, data, scenario.scenario->seed()), {}};
      if (comm.rank() == 0) entry.hash = content_hash(entry.data);
      entry.hash = comm.broadcast_text(entry.hash, 0);
      room -= static_cast<std::int64_t>(entry.data.memory->bytes().size());
      if (keep == Keep::nothing || room < 0) entry.data = SharedData();
      entries_.emplace(key, std::move(entry));
    }
    run.identity = run_identity(run.scenario_hash, contents_hash(*scenario.scenario, entries_.at(key).hash),
                                results_schema_version);
    key_of_run_.push_back(key);
  }
}

void SweepCatalogue::keep(const std::vector<std::size_t>& runs) {
  std::set<std::string> wanted;
  for (const std::size_t run : runs) wanted.insert(key_of_run_[run]);
  for (auto& [key, entry] : entries_) {
    if (!wanted.contains(key)) entry.data = SharedData();
  }
}

std::vector<Estimate> estimate(const Comm& comm, const SweepPlan& plan, const SweepCatalogue& catalogue,
                               const std::vector<std::size_t>& runs) {
  std::vector<Estimate> estimates(plan.runs.size());
  std::vector<double> own;
  for (auto i = static_cast<std::size_t>(comm.rank()); i < runs.size(); i += static_cast<std::size_t>(comm.size())) {
    const Estimate found = estimate_one(plan.runs[runs[i]], catalogue.data_of(runs[i]));
    estimates[runs[i]].refusal = found.refusal;  // known to this rank alone: a refused run costs nothing anywhere
    own.insert(own.end(), {static_cast<double>(runs[i]), found.seconds, found.bytes});
  }
  const std::vector<double> all = comm.all_gather(std::span<const double>(own));
  for (std::size_t i = 0; i < all.size(); i += 3) {
    Estimate& estimate = estimates[static_cast<std::size_t>(all[i])];
    estimate.seconds = all[i + 1];
    estimate.bytes = all[i + 2];
  }
  return estimates;
}

void refine(const SweepPlan& plan, const std::vector<Measured>& finished, std::vector<Estimate>& estimates) {
  std::vector<CostKind> kinds;
  std::vector<double> seconds;
  for (std::size_t run = 0; run < plan.runs.size(); ++run) {
    const ResolvedScenario scenario = resolved(plan.runs[run]);
    kinds.push_back({*value_at(*scenario.scenario, "aggregator"), *value_at(*scenario.scenario, "attacks")});
    seconds.push_back(estimates[run].seconds);
  }
  refine(kinds, finished, seconds);
  for (std::size_t run = 0; run < plan.runs.size(); ++run) estimates[run].seconds = seconds[run];
}

}  // namespace souk
