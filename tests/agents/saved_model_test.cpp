// Runs that begin with another run's model.
#include "agents/training/saved_model.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sim/base/error.hpp"
#include "sim/data/tensor_files.hpp"
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
  /// `names`: whether the checkpoint names its tensors, as those of versions 1 and 2 did not.
  explicit SavedRun(bool names = true) {
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
    const auto file = store.begin(
        {.round = {2}, .scenario_text = "", .stop = "", .tensors = names ? text_of(simulation->layout().slots()) : ""});
    ArchiveWriter archive(*file);
    simulation->serialize(archive);
    store.commit(*file);
    parameters.assign(simulation->parameters().begin(), simulation->parameters().end());
  }
  ~SavedRun() { fs::remove_all(directory); }
  SavedRun(const SavedRun&) = delete;
  SavedRun& operator=(const SavedRun&) = delete;

  fs::path directory = fs::temp_directory_path() / fmt::format("souk_saved_model_{}", getpid());
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

TEST(SavedModel, without_names_is_taken_by_its_fingerprint) {
  const SavedRun run(false);
  EXPECT_TRUE(saved_model(run.directory).tensors.empty());
  EXPECT_EQ(simulate(scenario(start_from(run.directory) + "training_rounds: 0 ")).hash,
            sha256_hex(std::span<const float>(run.parameters)));
  EXPECT_THAT(refusal(scenario(start_from(run.directory), "9")),
              HasSubstr("its parameters have other names or shapes than this model's"));
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

/// A model's tensors in an archive, the last first, after `change`.
template <class Change>
fs::path archive_of(const fs::path& run, Change change) {
  const SavedModel model = saved_model(run);
  std::vector<TensorView> tensors;
  for (const Slot& slot : model.tensors) {
    tensors.push_back({slot.name, slot.shape, std::span(model.parameters).subspan(slot.offset, slot.size)});
  }
  std::ranges::reverse(tensors);
  change(tensors);
  const fs::path file = run / "model.npz";
  write_npz(file, tensors);
  return file;
}

TEST(SavedModel, may_be_an_archive_whose_arrays_are_found_by_name) {
  const SavedRun run;
  const fs::path file = archive_of(run.directory, [](auto&) {});
  for (const int ranks : {1, 2}) {
    const Simulated untrained = simulate(scenario(start_from(file) + "training_rounds: 0 "), ranks);
    EXPECT_EQ(untrained.hash, sha256_hex(std::span<const float>(run.parameters)));
  }
  EXPECT_EQ(simulate(scenario(start_from(file))).hash, simulate(scenario(start_from(run.directory))).hash);
}

TEST(SavedModel, in_an_archive_is_part_of_what_a_run_is_computed_from) {
  const SavedRun run;
  const auto hash = [&] {
    const std::string text = scenario(start_from(run.directory / "model.npz"));
    return contents_hash(*resolve_scenario({.file_name = "test", .text = text, .overrides = {}}).scenario, "data");
  };
  archive_of(run.directory, [](auto&) {});
  const std::string as_it_was = hash();
  EXPECT_EQ(hash(), as_it_was);
  const std::vector<float> zeros(run.parameters.size());
  archive_of(run.directory,
             [&](auto& tensors) { tensors[0].values = std::span(zeros).first(tensors[0].values.size()); });
  EXPECT_NE(hash(), as_it_was);
  archive_of(run.directory, [](auto& tensors) { tensors[0].name = "other"; });
  EXPECT_NE(hash(), as_it_was);
}

TEST(SavedModel, in_an_archive_of_another_network_is_refused_by_the_first_difference) {
  const SavedRun run;
  const auto refused = [&](auto change) { return refusal(scenario(start_from(archive_of(run.directory, change)))); };
  const std::vector<float> more(10);
  EXPECT_THAT(refused([](auto& tensors) { tensors.pop_back(); }),
              HasSubstr("other names or shapes than this model's: there is no"));
  EXPECT_THAT(refused([](auto& tensors) { tensors[0].shape.push_back(1); }), HasSubstr(", this model's is ["));
  EXPECT_THAT(refused([&](auto& tensors) {
                tensors.push_back({"extra", {10}, more});
              }),
              HasSubstr("\"extra\" is none of this model's"));
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
