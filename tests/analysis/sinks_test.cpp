#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "analysis/sinks/sqlite_sink.hpp"
#include "analysis/sinks/tensorboard.pb.h"
#include "analysis/sinks/tensorboard_sink.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/error.hpp"
#include "tests/support/program.hpp"

namespace souk::sinks_test {
namespace {

namespace fs = std::filesystem;

class Sinks : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::path(testing::TempDir()) / "souk_sinks" / testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  static RoundRecord record(std::uint32_t round) {
    RoundRecord record;
    record.round = {round};
    record.virtual_seconds = 1.5;
    record.add("accuracy", 0.5);
    record.add("local_loss", 2.0, 3);
    record.add("class_accuracy", std::numeric_limits<double>::quiet_NaN(), -1, 4);
    record.selections.push_back({{3}, SelectionOutcome::accepted, 10, 0.25, 1.0, std::nullopt});
    record.traffic.push_back({"model", 1, 400});
    record.events.push_back({"target reached", -1, "accuracy 0.5"});
    record.phases.push_back({"train", 3.0, 2.5});
    record.phases.push_back({"evaluate", 1.0, 1.0});
    record.processes.push_back({0, 1000, 2});
    record.requests.push_back({"user", "inf_dir", "read", 7, 4, 1, 2, 3'000'000});
    record.requests.push_back({"user", "inf_dir", "edge", 7, 2, 0, 2, 0});
    record.pairs.push_back({"inf_dir", 7, round, -0.5, true, false});
    record.privacy.push_back({3, "client", "noise of clients", round, std::nullopt, 1e-5});
    record.pairs.push_back({"inf_dir", 7, 100 + round, std::nullopt, false, true});
    return record;
  }
  fs::path directory_;
};

TEST_F(Sinks, a_round_is_one_set_of_rows_however_often_it_is_committed) {
  const auto sink = open_sqlite_sink(directory_ / "results.sqlite");
  sink->commit_set_up({.agents = {{{3}, "client", 10, -1, 1e9, 1e6}},
                       .partition = {{{3}, 4, 10}},
                       .metrics = {{"distance_from_iid", 0.3}},
                       .events = {},
                       .privacy = {{-1, "edge", "edge_rand", 1, 4.0, 0.0}}});
  sink->commit(record(1));
  sink->commit(record(2));
  sink->commit(record(2));
  const auto ask = [&](const std::string& sql) { return query(directory_ / "results.sqlite", sql); };

  EXPECT_EQ(ask("SELECT round, virtual_seconds, virtual_time FROM round"), "1|1.5|1.5\n2|1.5|3.0\n");
  EXPECT_EQ(ask("SELECT * FROM metric WHERE round = 2"),
            "2|accuracy|-1|-1|0.5\n2|class_accuracy|-1|4|null\n2|local_loss|3|-1|2.0\n");
  EXPECT_EQ(ask("SELECT value FROM metric WHERE round = 0"), "0.3\n");
  EXPECT_EQ(ask("SELECT * FROM selection WHERE round = 2"), "2|-2|3|accepted|10|0.25|1.0|null\n");
  EXPECT_EQ(ask("SELECT share FROM phase WHERE round = 1 AND phase = 'train'"), "0.75\n");
  EXPECT_EQ(ask("SELECT count(*) FROM event"), "2\n");
  EXPECT_EQ(ask("SELECT * FROM request WHERE round = 2"),
            "2|0|user|inf_dir|read|7|4|1|2|3000000\n2|1|user|inf_dir|edge|7|2|0|2|0\n");
  EXPECT_EQ(ask("SELECT * FROM pair WHERE round = 2"), "2|inf_dir|7|2|-0.5|1|0\n2|inf_dir|7|102|null|0|1\n");
  EXPECT_EQ(ask("SELECT * FROM privacy WHERE round IN (0, 2)"),
            "0|-1|edge|edge_rand|1|4.0|0.0\n2|3|client|noise of clients|2|null|1.0e-05\n");
  sink->rewind({1});
  EXPECT_EQ(ask("SELECT max(round) FROM metric"), "1\n");
  EXPECT_EQ(ask("SELECT max(round) FROM request"), "1\n");
  EXPECT_EQ(ask("SELECT candidate FROM pair"), "1\n101\n");
}

TEST_F(Sinks, a_database_of_another_version_or_an_unwritable_place_is_refused) {
  open_sqlite_sink(directory_ / "results.sqlite");
  sqlite3* db = nullptr;
  sqlite3_open((directory_ / "results.sqlite").c_str(), &db);
  sqlite3_exec(db, "PRAGMA user_version = 99", nullptr, nullptr, nullptr);
  sqlite3_close(db);

  EXPECT_THROW(open_sqlite_sink(directory_ / "results.sqlite"), InputError);
  EXPECT_THROW(open_sqlite_sink(directory_ / "none" / "results.sqlite"), std::runtime_error);
}

TEST(Crc32c, gives_the_published_values) {
  // RFC 3720, B.4: 32 bytes of zeros, of ones, ascending; and the check value of the nine digits.
  std::vector<std::byte> bytes(32, std::byte{0});
  EXPECT_EQ(crc32c(bytes), 0x8A9136AAU);
  std::fill(bytes.begin(), bytes.end(), std::byte{0xFF});
  EXPECT_EQ(crc32c(bytes), 0x62A8AB43U);
  for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46DD794EU);
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xE3069283U);
}

TEST_F(Sinks, tensorboard_records_are_whole_checked_and_cut_back_on_rewind) {
  const auto inner = open_sqlite_sink(directory_ / "results.sqlite");
  const auto sink = with_tensorboard(*inner, directory_);
  sink->rewind({0});
  for (const std::uint32_t round : {1U, 2U, 3U}) sink->commit(record(round));
  sink->rewind({2});
  fs::path file;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    if (entry.path().filename().string().rfind("events.", 0) == 0) file = entry.path();
  }
  const std::vector<std::byte> bytes = read_file(file);
  std::vector<std::int64_t> steps;
  const auto unmasked = [](std::uint32_t masked) {
    const std::uint32_t rotated = masked - 0xA282EAD8U;
    return (rotated >> 17) | (rotated << 15);
  };
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint64_t length = 0;
    std::uint32_t length_crc = 0, data_crc = 0;
    std::memcpy(&length, &bytes[at], 8);
    std::memcpy(&length_crc, &bytes[at + 8], 4);
    std::memcpy(&data_crc, &bytes[at + 12 + length], 4);
    EXPECT_EQ(unmasked(length_crc), crc32c(std::span(bytes).subspan(at, 8)));
    EXPECT_EQ(unmasked(data_crc), crc32c(std::span(bytes).subspan(at + 12, length)));
    tensorboard::Event event;
    ASSERT_TRUE(event.ParseFromArray(&bytes[at + 12], static_cast<int>(length)));
    steps.push_back(event.step());
    if (event.step() == 2) {
      ASSERT_EQ(event.summary().value_size(), 2);  // the agent's metric stays out
      EXPECT_EQ(event.summary().value(0).tag(), "accuracy");
      EXPECT_EQ(event.summary().value(0).simple_value(), 0.5F);
      EXPECT_EQ(event.summary().value(1).tag(), "class_accuracy/4");
    }
    at += 16 + length;
  }
  EXPECT_THAT(steps, testing::ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace souk::sinks_test
