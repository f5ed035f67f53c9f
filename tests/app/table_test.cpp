#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/results_folder.hpp"

namespace souk {
namespace {

using testing::HasSubstr;

using Table = ResultsFolder;

TEST_F(Table, of_a_sweep_says_what_its_database_says) {
  run_sweep("s");
  const Ended counts = run({"table", "s", "--metric", "rounds_done", "--stat", "max", "--format", "csv"});
  EXPECT_EQ(counts.exit_code, 0);
  EXPECT_EQ(counts.err, "");
  EXPECT_EQ(counts.out, "aggregator,sign_flip,zero\nmean,2,2\nmedian,2,2\n");

  // The same mean by SQL on the runs themselves, in the order in which the program adds.
  double sum = 0.0;
  for (const auto& cell : std::filesystem::directory_iterator(directory_ / "s/cells")) {
    const std::string chosen =
        query(cell.path() / "results.sqlite",
              "SELECT value FROM metric WHERE name = 'accuracy' AND agent = -1 AND round = 2 AND "
              "(SELECT value FROM run WHERE name = 'scenario') LIKE '%median%' AND "
              "(SELECT value FROM run WHERE name = 'scenario') LIKE '%zero%'");
    if (!chosen.empty()) sum += std::stod(chosen);
  }
  const Ended means =
      run({"table", "s", "--filter", "aggregator = median && attack = zero", "--stat", "mean", "--format", "csv"});
  ASSERT_THAT(means.out, HasSubstr("aggregator,zero\nmedian,"));
  EXPECT_NEAR(std::stod(means.out.substr(means.out.rfind(',') + 1)), sum / 2.0, 1e-12);
}

TEST_F(Table, has_every_kind) {
  run_sweep("s");
  const auto first_line = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"table", "s"});
    const Ended ended = run(options);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return ended.out.substr(0, ended.out.find('\n'));
  };
  EXPECT_EQ(first_line({"--worst-over", "attack", "--metric", "accuracy,bytes", "--format", "csv"}),
            "aggregator,accuracy,bytes");
  EXPECT_EQ(first_line({"--rank", "--format", "markdown"}),
            "**rank by test accuracy (accuracy), in the last round that recorded it**");
  EXPECT_EQ(first_line({"--compare", "mean,median"}), "mean less median, paired");
  EXPECT_EQ(first_line({"--pareto", "accuracy:bytes", "--format", "latex"}),
            "% test accuracy (accuracy), in the last round that recorded it against traffic (bytes)");
  EXPECT_EQ(first_line({"--rows", "metric", "--cols", "seed,aggregator", "--format", "csv"}),
            "metric,1 / mean,1 / median,2 / mean,2 / median");
}

TEST_F(Table, refuses_what_makes_no_sense_in_one_sentence) {
  run_sweep("s");
  const auto refused = [&](std::vector<std::string> options) {
    options.insert(options.begin(), "table");
    const Ended ended = run(options);
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_EQ(ended.out, "");
    return ended.err;
  };
  EXPECT_THAT(refused({"s", "--rank", "--pareto", "accuracy:bytes"}), HasSubstr("excludes"));
  EXPECT_THAT(refused({"s", "--worst-over", "attack", "--stat", "mean"}), HasSubstr("excludes"));
  EXPECT_THAT(refused({"s", "--metric", "asr", "--pareto", "accuracy:bytes"}), HasSubstr("excludes"));
  EXPECT_THAT(refused({"s", "--format", "html"}), HasSubstr("html"));
  EXPECT_EQ(refused({"s", "--compare", "mean"}), "souk: --compare mean: expected two names with a ',' between\n");
  EXPECT_THAT(refused({"s", "--filter", "aggregator ="}), HasSubstr("aggregator ="));
  EXPECT_EQ(refused({"s", "--filter", "aggregator = none"}), "souk: --filter 'aggregator = none': no run matches\n");
  EXPECT_THAT(refused({"s", "--rows", "aggregater"}), HasSubstr("there is no column 'aggregater'"));
  EXPECT_THAT(refused({"s", "--select", "seed"}), HasSubstr("evaluation.validation_fraction"));
  EXPECT_EQ(refused({"nowhere"}), "souk: nowhere: No such file or directory\n");
  EXPECT_EQ(refused({"s/cells/x"}), "souk: s/cells/x: No such file or directory\n");
}

}  // namespace
}  // namespace souk
