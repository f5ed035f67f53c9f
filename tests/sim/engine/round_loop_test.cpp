#include "sim/engine/round_loop.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"
#include "tests/support/counting_new.hpp"
#include "tests/support/heap_peak.hpp"

namespace souk::round_loop_test {
namespace {

namespace fs = std::filesystem;

/// Doubles its one parameter every round and adds the round number.
class Doubling final : public Protocol {
 public:
  explicit Doubling(std::uint32_t stop_at = 0) : stop_at_(stop_at) {}
  SetUpRecord set_up_record() const override { return {}; }
  void run_round(RoundIndex round, bool, Phases& phases, RoundRecord& record) override {
    phases.local("double", [&] { value_[0] = 2 * value_[0] + static_cast<float>(round.value); });
    record.add("value", static_cast<double>(value_[0]));
    if (round.value == stop_at_) record.stop = Stop::target;
  }
  void serialize(Archive& archive) override { archive.field("value", value_); }
  std::span<const float> parameters() const override { return value_; }

 private:
  std::uint32_t stop_at_;
  std::vector<float> value_{1.0F};
};

/// Remembers what it was told.
class Memory final : public MetricSink {
 public:
  void describe(const std::map<std::string, std::string>&) override {}
  void commit_set_up(const SetUpRecord&) override {}
  void commit(const RoundRecord& record) override { rounds[record.round.value] = record.metrics.front().value; }
  void rewind(RoundIndex last_kept) override { rounds.erase(rounds.upper_bound(last_kept.value), rounds.end()); }
  std::map<std::uint32_t, double> rounds;
};

/// Counts up in every one of many values, which it hands over a piece at a time as a rank that holds a part would.
class Large final : public Protocol {
 public:
  explicit Large(std::size_t pieces) : pieces_(pieces) {}
  SetUpRecord set_up_record() const override { return {}; }
  void run_round(RoundIndex, bool, Phases&, RoundRecord& record) override {
    value_[0] += 1.0F;
    record.add("value", static_cast<double>(value_[0]));
  }
  void serialize(Archive& archive) override {
    archive.begin_floats("values", pieces_ * piece_.size());
    for (std::size_t p = 0; p < pieces_; ++p) {
      if (!archive.loading()) std::ranges::fill(piece_, value_[0] + static_cast<float>(p));
      archive.piece(piece_);
      if (archive.loading()) value_[0] = piece_.back() - static_cast<float>(p);
    }
  }
  std::span<const float> parameters() const override { return value_; }

 private:
  std::size_t pieces_;
  std::vector<float> piece_ = std::vector<float>(std::size_t{1} << 16);
  std::vector<float> value_{0.0F};
};

/// Cannot load what it saved on one rank.
class Forgetful final : public Protocol {
 public:
  explicit Forgetful(bool forgets) : forgets_(forgets) {}
  SetUpRecord set_up_record() const override { return {}; }
  void run_round(RoundIndex, bool, Phases&, RoundRecord&) override {}
  void serialize(Archive& archive) override {
    archive.field("first", first_);
    SOUK_REQUIRE(!(archive.loading() && forgets_), "saved state: forgotten");
    archive.field("second", second_);
  }
  std::span<const float> parameters() const override { return first_; }

 private:
  bool forgets_;
  std::vector<float> first_ = std::vector<float>(1000), second_ = std::vector<float>(std::size_t{1} << 20);
};

/// Puts a checkpoint with this state in place.
void put(const CheckpointStore& store, std::uint32_t round, const std::string& scenario_text,
         std::vector<std::byte> state = {}) {
  const auto file = store.begin({.round = {round}, .scenario_text = scenario_text, .stop = "", .tensors = ""});
  file->write(state);
  store.commit(*file);
}

class RoundLoop : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::path(testing::TempDir()) / "souk_loop" / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(directory_);
    fs::create_directories(directory_.parent_path());
  }
  static LoopOptions options(std::uint32_t rounds) {
    return {.rounds = rounds, .checkpoint_every = 2, .scenario_text = "seed: 1"};
  }
  static scenario::Scenario scenario() {
    scenario::Scenario scenario;
    scenario.set_seed(1);
    return scenario;
  }
  fs::path directory_;
};

TEST_F(RoundLoop, a_resumed_run_ends_as_an_unbroken_one) {
  Memory unbroken_sink;
  Doubling unbroken;
  run_rounds(Comm::self(), unbroken, &unbroken_sink, nullptr, std::nullopt, options(7));

  const CheckpointStore store(directory_, 2);
  Memory sink;
  {
    Doubling first;
    run_rounds(Comm::self(), first, &sink, &store, std::nullopt, options(5));
  }
  fs::remove(directory_ / "round-0000005.souk");  // as if killed before its last checkpoint
  Doubling resumed;
  const auto checkpoint = store.latest(scenario());
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_EQ(checkpoint->round.value, 4U);
  const LoopResult result = run_rounds(Comm::self(), resumed, &sink, &store, checkpoint, options(7));

  EXPECT_EQ(result.status, RunStatus::done);
  EXPECT_EQ(resumed.parameters()[0], unbroken.parameters()[0]);
  EXPECT_EQ(sink.rounds, unbroken_sink.rounds);
}

TEST_F(RoundLoop, an_early_stop_is_remembered_by_the_checkpoint) {
  const CheckpointStore store(directory_, 1);
  Doubling first(3);
  EXPECT_EQ(run_rounds(Comm::self(), first, nullptr, &store, std::nullopt, options(7)).reason, "target");
  Doubling again;
  const LoopResult result = run_rounds(Comm::self(), again, nullptr, &store, store.latest(scenario()), options(7));

  EXPECT_EQ(result.reason, "target");
  EXPECT_EQ(result.last_round.value, 3U);
  EXPECT_EQ(again.parameters()[0], first.parameters()[0]);
}

TEST_F(RoundLoop, a_fault_on_one_rank_is_thrown_on_all_and_the_rounds_before_it_stay) {
  for (const int culprit : {0, 2}) {
    Memory sink;
    run_team(3, [&](const Comm& comm) {
      Doubling protocol;
      LoopOptions with_fault = options(7);
      with_fault.fault = InjectedFault{.rank = culprit, .round = 4, .phase = "double"};
      try {
        run_rounds(comm, protocol, comm.rank() == 0 ? &sink : nullptr, nullptr, std::nullopt, with_fault);
        ADD_FAILURE() << "no error on rank " << comm.rank();
      } catch (const PhaseError& error) {
        EXPECT_EQ(error.rank(), culprit);
        EXPECT_EQ(error.exit_code(), exit_failed);
      }
    });
    EXPECT_EQ(sink.rounds.size(), 3U);
  }
}

TEST_F(RoundLoop, keeps_only_the_newest_checkpoints) {
  const CheckpointStore store(directory_, 2);
  Doubling protocol;
  run_rounds(Comm::self(), protocol, nullptr, &store, std::nullopt, options(9));

  EXPECT_TRUE(fs::exists(directory_ / "round-0000009.souk"));
  EXPECT_TRUE(fs::exists(directory_ / "round-0000008.souk"));
  EXPECT_FALSE(fs::exists(directory_ / "round-0000006.souk"));
}

TEST_F(RoundLoop, a_checkpoint_of_another_scenario_is_refused_by_the_name_of_the_field) {
  const CheckpointStore store(directory_, 2);
  put(store, 3, "seed: 2");
  try {
    store.latest(scenario());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("seed is 2 in one and 1 in the other"));
  }
}

TEST_F(RoundLoop, every_truncation_of_a_checkpoint_is_noticed_and_an_older_one_is_taken) {
  const CheckpointStore store(directory_, 2);
  put(store, 1, "seed: 1", {std::byte{1}});
  put(store, 2, "seed: 1", {std::byte{2}});
  const fs::path newest = directory_ / "round-0000002.souk";
  for (std::size_t size = fs::file_size(newest); size-- > 0;) {
    fs::resize_file(newest, size);
    const auto found = store.latest(scenario());
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->round.value, 1U) << size;
  }
}

TEST_F(RoundLoop, a_checkpoint_passes_through_a_buffer_on_its_way_to_the_file_and_back) {
  constexpr std::size_t pieces = 160;  // 40 MB in all
  const CheckpointStore store(directory_, 1);
  for (const int ranks : {1, 3}) {
    const HeapPeak heap;
    run_team(ranks, [&](const Comm& comm) {
      Large first(pieces);
      run_rounds(comm, first, nullptr, comm.rank() == 0 ? &store : nullptr, std::nullopt, options(4));
      Large resumed(pieces);
      const auto found = comm.rank() == 0 ? store.latest(scenario()) : std::nullopt;
      run_rounds(comm, resumed, nullptr, nullptr, share_checkpoint(comm, found), options(6));
      EXPECT_EQ(resumed.parameters()[0], 6.0F);
    });
    EXPECT_GT(fs::file_size(directory_ / "round-0000004.souk"), pieces << 18U);
    EXPECT_LT(heap.bytes(), 10U << 20U) << ranks << " ranks";
  }
}

TEST_F(RoundLoop, a_checkpoint_of_the_version_before_is_loaded) {
  SaveArchive state;
  std::vector<float> value{5.0F};
  state.field("value", value);
  SaveArchive file;
  std::int64_t version = 1, round = 2;
  std::string scenario_text = "seed: 1", stop;
  std::string text(reinterpret_cast<const char*>(state.bytes().data()), state.bytes().size());
  file.field("souk checkpoint version", version);
  file.field("round", round);
  file.field("scenario", scenario_text);
  file.field("stop", stop);
  file.field("state", text);
  fs::create_directories(directory_);
  std::ofstream(directory_ / "round-0000002.souk", std::ios::binary)
      << std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size())
      << sha256_hex(file.bytes());
  Doubling resumed;
  const auto checkpoint = CheckpointStore(directory_, 1).latest(scenario());
  ASSERT_TRUE(checkpoint.has_value());
  run_rounds(Comm::self(), resumed, nullptr, nullptr, checkpoint, options(3));
  EXPECT_EQ(resumed.parameters()[0], 13.0F);  // 2 * 5 + 3
}

TEST_F(RoundLoop, a_version_that_is_not_known_is_refused) {
  SaveArchive file;
  std::int64_t version = 4;
  file.field("souk checkpoint version", version);
  fs::create_directories(directory_);
  std::ofstream(directory_ / "round-0000002.souk", std::ios::binary)
      << std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size())
      << sha256_hex(file.bytes());
  testing::internal::CaptureStderr();
  EXPECT_FALSE(CheckpointStore(directory_, 1).latest(scenario()).has_value());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::HasSubstr("format version 4, this program reads 1 to 3"));
}

TEST_F(RoundLoop, what_one_rank_cannot_load_is_refused_by_all) {
  const CheckpointStore store(directory_, 1);
  Forgetful saved(false);
  run_rounds(Comm::self(), saved, nullptr, &store, std::nullopt, options(1));
  for (const int culprit : {0, 2}) {
    run_team(3, [&](const Comm& comm) {
      Forgetful protocol(comm.rank() == culprit);
      const auto found = comm.rank() == 0 ? store.latest(scenario()) : std::nullopt;
      const auto checkpoint = share_checkpoint(comm, found);
      try {
        run_rounds(comm, protocol, nullptr, nullptr, checkpoint, options(3));
        ADD_FAILURE() << "no error on rank " << comm.rank();
      } catch (const PhaseError& error) {
        EXPECT_EQ(error.rank(), culprit);
        EXPECT_EQ(error.exit_code(), exit_bad_input);
        EXPECT_THAT(error.what(), testing::HasSubstr("forgotten"));
      }
    });
  }
}

TEST_F(RoundLoop, a_checkpoint_that_cannot_be_put_in_place_is_an_error_on_all_ranks_and_leaves_nothing) {
  const CheckpointStore store(directory_, 2);
  fs::create_directories(directory_ / "round-0000002.souk" / "in the way");
  run_team(2, [&](const Comm& comm) {
    Large protocol(40);
    EXPECT_THROW(run_rounds(comm, protocol, nullptr, comm.rank() == 0 ? &store : nullptr, std::nullopt, options(4)),
                 PhaseError);
  });
  EXPECT_FALSE(fs::exists(directory_ / "round-0000002.souk.tmp"));
}

TEST(Faults, are_parsed_or_refused) {
  const InjectedFault fault = parse_fault("rank=1,round=2,phase=train,kind=hang");
  EXPECT_EQ(fault.rank, 1);
  EXPECT_EQ(fault.round, 2U);
  EXPECT_EQ(fault.phase, "train");
  EXPECT_EQ(fault.kind, InjectedFault::Kind::hang);
  for (const char* bad : {"", "rank", "rank=x,phase=a", "rank=1,round=2", "where=1,phase=a", "phase=a,kind=soft"}) {
    EXPECT_THROW(parse_fault(bad), InputError) << bad;
  }
}

}  // namespace
}  // namespace souk::round_loop_test
