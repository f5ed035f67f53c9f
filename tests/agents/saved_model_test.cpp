// Runs that begin with another run's model.
#include "agents/training/saved_model.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/engine/checkpoint.hpp"
#include "tests/support/simulated.hpp"

namespace souk::saved_model_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string scenario(const std::string& more, const std::string& hidden = "8") {
  return "rounds: 2 task { data { glyphs { train_samples: 100 test_samples: 20 } } model { mlp { hidden: " + hidden +
         " } } } participants { clients: 2 everyone: true } aggregator { mean {} } " + more;
}

/// A run's directory with the checkpoint of its last round.
struct SavedRun {
  SavedRun() {
    fs::remove_all(directory);
    fs::create_directories(directory);
    const ResolvedScenario resolved = resolve_scenario({.file_name = "test", .text = scenario(""), .overrides = {}});
    const auto simulation = make_simulation(Comm::self(), *resolved.scenario, "cpu");
    const std::optional<InjectedFault> no_fault;
    for (std::uint32_t r = 1; r <= 2; ++r) {
      RoundRecord record;
      record.round = {r};
      Phases phases(Comm::self(), {r}, no_fault);
      simulation->run_round({r}, r == 2, phases, record);
    }
    const CheckpointStore store(directory / "checkpoint", 2);
    const auto file = store.begin({.round = {2}, .scenario_text = "", .stop = ""});
    ArchiveWriter archive(*file);
    simulation->serialize(archive);
    store.commit(*file);
    parameters.assign(simulation->parameters().begin(), simulation->parameters().end());
  }
  ~SavedRun() { fs::remove_all(directory); }
  SavedRun(const SavedRun&) = delete;
  SavedRun& operator=(const SavedRun&) = delete;

  fs::path directory = fs::temp_directory_path() / "souk_saved_model_test";
  std::vector<float> parameters;
};

std::string start_from(const fs::path& path) { return "server { start_from: \"" + path.string() + "\" } "; }

std::string refusal(const std::string& text) {
  try {
    simulate(text);
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

TEST(SavedModel, is_where_a_run_begins) {
  const SavedRun run;
  for (const fs::path& path : {run.directory, run.directory / "checkpoint" / "round-0000002.souk"}) {
    const Simulated untrained = simulate(scenario(start_from(path) + "training_rounds: 0 "));
    EXPECT_EQ(untrained.hash, sha256_hex(std::span<const float>(run.parameters)));
    EXPECT_NE(simulate(scenario(start_from(path))).hash, untrained.hash);
  }
}

TEST(SavedModel, is_part_of_what_a_run_is_computed_from) {
  const SavedRun run;
  const auto resolved = [](const std::string& text) {
    return resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
  };
  EXPECT_EQ(contents_hash(*resolved(scenario("")).scenario, "data"), "data");
  EXPECT_NE(contents_hash(*resolved(scenario(start_from(run.directory))).scenario, "data"), "data");
}

TEST(Contents, of_a_run_are_the_graphs_of_attackers_too) {
  const auto hash = [](const std::string& nodes) {
    return contents_hash(
        *resolve_scenario(
             {.file_name = "test",
              .text = "service { attacks { link_stealing { shadow { data { communities { custom { nodes: " + nodes +
                      " edges: 90 classes: 3 features: 9 } } } } } } }",
              .overrides = {}})
             .scenario,
        "data");
  };
  EXPECT_EQ(hash("50"), hash("50"));
  EXPECT_NE(hash("50"), hash("51"));
  EXPECT_NE(hash("50"), "data");
}

TEST(SavedModel, that_cannot_be_taken_is_refused) {
  const SavedRun run;
  EXPECT_THAT(refusal(scenario(start_from("/nowhere"))), HasSubstr("server.start_from = \"/nowhere\""));
  EXPECT_THAT(refusal(scenario(start_from(fs::temp_directory_path()))), HasSubstr("holds no checkpoint"));
  EXPECT_THAT(refusal(scenario(start_from(run.directory), "9")),
              HasSubstr("its parameters have other names or shapes than this model's"));
  const fs::path file = run.directory / "checkpoint" / "round-0000002.souk";
  fs::resize_file(file, fs::file_size(file) - 100);
  EXPECT_THAT(refusal(scenario(start_from(run.directory))), HasSubstr("checksum does not match"));
}

}  // namespace
}  // namespace souk::saved_model_test
