#include "sim/app/run_outputs.hpp"

#include <ctime>

#include "agents/training/saved_model.hpp"
#include "agents/training/source_files.hpp"
#include "analysis/sinks/picture_sink.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "analysis/sinks/tensorboard_sink.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/sweep_directory.hpp"
#include "sim/app/version.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/sweep/plan.hpp"

namespace souk {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

/// Throws InputError if the run in `path` is of another scenario, naming the first differing field.
void require_same_run(const std::filesystem::path& path, const scenario::Scenario& scenario) {
  ScenarioSource source{.file_name = path / "scenario.textproto", .text = {}, .overrides = {}};
  SOUK_REQUIRE(std::filesystem::exists(source.file_name), "{}: holds results but no scenario.textproto to compare with",
               path.string());
  source.text = read_text_file(source.file_name);
  const auto difference = first_difference(*resolve_scenario(source).scenario, scenario);
  SOUK_REQUIRE(!difference, "{}: holds another run: {} (first that run's, then yours)", path.string(), *difference);
}

/// Throws InputError if the run in `path` began with another data set.
void require_same_data(const std::filesystem::path& path, const Facts& before, const Facts& now) {
  const auto was = before.find("data_sha256");
  if (was == before.end()) return;  // killed before it could say
  const std::string& is = now.at("data_sha256");
  SOUK_REQUIRE(was->second == is,
               "{}: the data set is another one than this run began with: content sha256 {} then, {} now; put it back, "
               "or choose another --out",
               path.string(), was->second, is);
}

/// Fields of the scenario that name files of code, with the hashes of what is in them: "FIELD HASH", one after the
/// other.
std::string sources_of(const scenario::Scenario& scenario) {
  std::string all;
  for (const SourceFile& file : source_files(scenario)) {
    all += fmt::format("{}{} {}", all.empty() ? "" : ", ", file.field, file.sha256);
  }
  return all;
}

/// Throws InputError if the run in `path` began with other code.
void require_same_code(const std::filesystem::path& path, const Facts& before, const Facts& now) {
  const auto was = before.find("sources_sha256"), is = now.find("sources_sha256");
  if (was == before.end() || is == now.end()) return;  // killed before it could say, or without any
  SOUK_REQUIRE(was->second == is->second,
               "{}: the code is not what this run began with: {} then, {} now; put it back, or choose another --out",
               path.string(), was->second, is->second);
}

/// A run without a checkpoint begins again; that is no loss before the first one was due. A round is committed before
/// its checkpoint is written, and a run may be killed between the two.
void require_checkpoint(const std::filesystem::path& path, std::uint32_t every) {
  const std::uint32_t rounds = read_run_state(path).rounds_done;
  SOUK_REQUIRE(
      every == 0 || rounds <= every,
      "{}: holds {} rounds, but none of their checkpoints is left; put one back into {}, or choose another --out",
      path.string(), rounds, (path / "checkpoint").string());
  if (rounds > 0) log::warning("no checkpoint was due in the {} rounds done; they are computed again", rounds);
}

/// What the bits of a result depend on beside scenario and data. A run that goes on elsewhere is worth more than none.
Facts changes_of_machine(const Facts& before, const Facts& now) {
  std::string changes;
  for (const char* name : {"commit", "libtorch", "mpi", "blas"}) {
    const auto was = before.find(name);
    if (was == before.end() || was->second == now.at(name)) continue;
    changes += fmt::format("{}{}: {} before, {} now", changes.empty() ? "" : "; ", name, was->second, now.at(name));
  }
  if (changes.empty()) return {};
  log::warning("goes on with another program or machine ({}): its bits may differ from those of an unbroken run",
               changes);
  return {{"continued_elsewhere", changes}};
}

}  // namespace

void open_outputs(std::unique_ptr<RunDirectory> directory, const scenario::Scenario& scenario, const Facts& facts,
                  RunOutputs& out) {
  out.directory = std::move(directory);
  const auto& path = out.directory->path();
  out.checkpoints = std::make_unique<CheckpointStore>(path / "checkpoint", scenario.checkpoint().keep());
  const bool continues = out.directory->holds_a_run();
  Facts before;
  if (continues) {
    require_same_run(path, scenario);
    before = read_run_facts(path);
    require_same_data(path, before, facts);
    require_same_code(path, before, facts);
  }
  SOUK_REQUIRE(continues || out.checkpoints->empty(),
               "{}: holds checkpoints of a run whose results.sqlite is gone; put it back, or choose another --out",
               path.string());
  if (continues) out.resume_from = out.checkpoints->latest(scenario);
  if (continues && !out.resume_from) require_checkpoint(path, scenario.checkpoint().every());
  log::also_to_file(path / "souk.log");
  write_file_atomically(path / "scenario.textproto", to_text(scenario));
  out.results = open_sqlite_sink(path / "results.sqlite");
  if (out.resume_from) out.results->describe(changes_of_machine(before, facts));
  if (scenario.has_inference()) out.pictures = with_pictures(*out.results, path / "images");
  MetricSink& inner = out.pictures != nullptr ? *out.pictures : *out.results;
  out.all_sinks = scenario.output().tensorboard() ? with_tensorboard(inner, path / "tensorboard") : nullptr;
}

std::string full_identity(const scenario::Scenario& scenario, const std::string& data_hash) {
  return run_identity(identity_of(scenario), contents_hash(scenario, data_hash), results_schema_version);
}

Facts facts_at_start(const scenario::Scenario& scenario, const std::string& data_hash, const Comm& comm,
                     const std::string& blas) {
  Facts facts{{"identity", full_identity(scenario, data_hash)},
              {"scenario_sha256", identity_of(scenario)},
              {"data_sha256", data_hash},
              {"name", scenario.name()},
              {"seed", std::to_string(scenario.seed())},
              {"scenario", to_text(scenario)},
              {"version", version()},
              {"commit", commit()},
              {"libtorch", libtorch_version()},
              {"mpi", mpi_version()},
              {"blas", blas},
              {"ranks", std::to_string(comm.size())},
              {"started", utc_now()},
              {"status", to_string(RunStatus::running)},
              {"reason", ""}};
  if (std::string sources = sources_of(scenario); !sources.empty()) facts["sources_sha256"] = std::move(sources);
  return facts;
}

void record_end(const RunOutputs& out, const LoopResult& result, const std::string& parameters_hash, Facts others) {
  others.merge(Facts{{"rounds_done", std::to_string(result.last_round.value)}, {"parameters_sha256", parameters_hash}});
  record_failure(out, result.status, result.reason, std::move(others));
}

void record_failure(const RunOutputs& out, RunStatus status, const std::string& reason, Facts others) {
  others.merge(Facts{{"status", to_string(status)}, {"reason", reason}, {"finished", utc_now()}});
  out.results->describe(others);
}

}  // namespace souk
