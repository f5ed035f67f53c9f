#include "sim/engine/round_loop.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
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
    if (round.value == stop_at_) record.stop = "target";
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

class RoundLoop : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::path(testing::TempDir()) / "souk_loop" / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(directory_);
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
  store.commit({.round = {3}, .scenario_text = "seed: 2", .stop = "", .state = {}});
  try {
    store.latest(scenario());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("seed is 2 in one and 1 in the other"));
  }
}

TEST_F(RoundLoop, every_truncation_of_a_checkpoint_is_noticed_and_an_older_one_is_taken) {
  const CheckpointStore store(directory_, 2);
  store.commit({.round = {1}, .scenario_text = "seed: 1", .stop = "", .state = {std::byte{1}}});
  store.commit({.round = {2}, .scenario_text = "seed: 1", .stop = "", .state = {std::byte{2}}});
  const fs::path newest = directory_ / "round-0000002.souk";
  for (std::size_t size = fs::file_size(newest); size-- > 0;) {
    fs::resize_file(newest, size);
    const auto found = store.latest(scenario());
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->round.value, 1U) << size;
  }
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
}  // namespace souk
