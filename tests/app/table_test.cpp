#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/results_folder.hpp"

namespace souk::table_test {
namespace {

using testing::HasSubstr;

using Table = ResultsFolder;

TEST_F(Table, of_a_sweep_says_what_its_database_says) {
  run_sweep("s");
  const Ended counts = run({"table", "s", "--metric", "rounds_done", "--stat", "max", "--format", "csv"});
  EXPECT_EQ(counts.exit_code, 0);
  EXPECT_EQ(counts.err, "");
  EXPECT_EQ(counts.out,
            "metric,aggregator,attack,max,runs,n,diverged,failed,unfinished\nrounds_done,mean,sign_flip,2,2,2,0,0,0\n"
            "rounds_done,mean,zero,2,2,2,0,0,0\nrounds_done,median,sign_flip,2,2,2,0,0,0\n"
            "rounds_done,median,zero,2,2,2,0,0,0\n");

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
  const std::string place = "\naccuracy,median,zero,";
  ASSERT_THAT(means.out, HasSubstr(place));
  EXPECT_NEAR(std::stod(means.out.substr(means.out.find(place) + place.size())), sum / 2.0, 1e-12);
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
            "metric,aggregator,mean,worst_attack,runs,n,diverged,failed,unfinished");
  EXPECT_EQ(first_line({"--rank", "--format", "markdown"}),
            "**rank by test accuracy (accuracy), in the last round that recorded it**");
  EXPECT_EQ(first_line({"--compare", "mean,median"}), "mean less median, paired");
  EXPECT_EQ(first_line({"--pareto", "accuracy:bytes", "--format", "latex"}),
            "% test accuracy (accuracy), in the last round that recorded it against traffic (bytes)");
  EXPECT_EQ(first_line({"--rows", "metric", "--cols", "seed,aggregator", "--format", "csv"}),
            "metric,seed,aggregator,mean,std,runs,n,diverged,failed,unfinished");
  EXPECT_EQ(run({"table", "s", "--rows", "attack", "--metric", "rounds_done", "--stat", "mean", "--format", "csv"}).out,
            "metric,attack,mean,runs,n,diverged,failed,unfinished\nrounds_done,sign_flip,2,4,4,0,0,0\n"
            "rounds_done,zero,2,4,4,0,0,0\n");
}

TEST_F(Table, finds_the_numbers_of_every_quantity) {
  run_sweep("s");
  const Ended ended = run({"table", "s", "--rows", "metric", "--cols", "aggregator", "--stat", "count", "--metric",
                           "accuracy,seconds,bytes,virtual_time,rounds_done,malicious_weight_share"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  for (const char* metric : {"accuracy", "seconds", "bytes", "virtual_time", "rounds_done"}) {
    EXPECT_THAT(ended.out, testing::ContainsRegex(std::string(metric) + " +4 +4"));
  }
  EXPECT_THAT(ended.out, testing::ContainsRegex("malicious_weight_share +4 +n/a")) << "a median weighs no update";
  EXPECT_THAT(run({"table", "s", "--pareto", "accuracy:malicious_weight_share"}).out,
              testing::ContainsRegex("mean +0.[0-9]+ +0.2000 +yes\nmedian +0.[0-9]+ +n/a +-"));
}

TEST_F(Table, every_command_takes_the_same_filter) {
  run_sweep("s");
  // axes, derived columns, fields as results and as grids write them
  for (const char* filter : {"aggregator = median && seed = 1", "malicious = 0.2 && aggregator = median && seed != 2",
                             "attacks[0].count = 1 && aggregator = median && seed = 1", "attack.count > 0 && seed = 1",
                             "task.model = logreg && seed < 2", "dataset = glyphs && seed = 1 && sweep = made"}) {
    const Ended table = run({"table", "s", "--filter", filter, "--rows", "seed", "--cols", "", "--stat", "count"});
    EXPECT_EQ(table.exit_code, 0) << filter << table.err;
    EXPECT_THAT(table.out, testing::Not(HasSubstr("\n2 "))) << table.out;
    const Ended plan = run({"sweep", "plan", "grid.textproto", "--out", "s", "--filter", filter});
    EXPECT_EQ(plan.exit_code, 0) << filter << plan.err;
    EXPECT_THAT(plan.out, testing::ContainsRegex(" [24] chosen")) << plan.out;
  }
  EXPECT_EQ(run({"report", "s", "-o", "r.html", "--filter", "malicious = 0.2 && attack.count > 0"}).exit_code, 0);
  const std::string unknown = "aggregater = mean";
  for (const Ended& ended : {run({"table", "s", "--filter", unknown}), run({"report", "s", "--filter", unknown}),
                             run({"sweep", "plan", "grid.textproto", "--filter", unknown})}) {
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("Did you mean 'aggregator'?"));
  }
}

TEST_F(Table, shares_may_be_percentages) {
  run_sweep("s");
  const auto place = [](const Ended& ended) {
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const std::size_t at = ended.out.find("median  ");
    return at == std::string::npos ? -1.0 : std::stod(ended.out.substr(at + 8));
  };
  const Ended percent = run({"table", "s", "--stat", "mean", "--percent"});
  EXPECT_NEAR(place(percent), 100.0 * place(run({"table", "s", "--stat", "mean"})), 1e-9);
  EXPECT_THAT(percent.out,
              testing::AllOf(HasSubstr("test accuracy (accuracy) in %"), HasSubstr("Shares are percentages.")));
  EXPECT_EQ(run({"table", "s", "--percent", "--format", "csv"}).exit_code, 2);
  EXPECT_EQ(run({"table", "s", "--percent", "--rank"}).exit_code, 2);
}

TEST_F(Table, of_two_sweeps_mixes_them_only_where_it_is_told_to) {
  run_sweep("s");
  std::filesystem::copy(directory_ / "s", directory_ / "again", std::filesystem::copy_options::recursive);
  const auto labels = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"table", "s", "again", "--metric", "rounds_done", "--stat", "count"});
    const Ended ended = run(options);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("Runs that were given more than once count once (8 left out)."));
    std::string first_words;
    std::istringstream lines(ended.out);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("  2") != std::string::npos) first_words += line.substr(0, line.find("  ")) + "\n";
    }
    return first_words;
  };
  EXPECT_EQ(labels({}), "made / mean\nmade / median\nmade#2 / mean\nmade#2 / median\n");
  EXPECT_EQ(labels({"--filter", "sweep != nobody"}), "mean\nmedian\n");
  EXPECT_EQ(labels({"--filter", "sweep = made"}), "mean\nmedian\n");
  EXPECT_EQ(labels({"--cols", "sweep,attack"}), "mean\nmedian\n");

  const auto out = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"table", "s", "again"});
    return run(options).out;
  };
  const std::string compared = out({"--compare", "mean,median"});
  EXPECT_THAT(compared, HasSubstr("accuracy    made      4"));  // a line per sweep
  EXPECT_THAT(compared, HasSubstr("accuracy  made#2      4"));
  const std::string ranked = out({"--rank"});  // a table per sweep, whose ranks are 1 and 2
  EXPECT_EQ(ranked.find("rank by"), 0U);
  EXPECT_NE(ranked.rfind("rank by"), 0U);
  EXPECT_THAT(ranked, testing::Not(HasSubstr(" 3 ")));
  EXPECT_NE(out({"--pareto", "accuracy:bytes"}).rfind("against"), out({"--pareto", "accuracy:bytes"}).find("against"));
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
  EXPECT_EQ(refused({"s", "--filter", "aggregator = none"}),
            "souk: --filter: condition 'aggregator = none': the axis has no such value, but mean, median.\n");
  EXPECT_THAT(refused({"s", "--filter", "aggregator != medain"}), HasSubstr("Did you mean 'median'?"));
  EXPECT_EQ(refused({"s", "--filter", "partition = dirichlt"}),
            "souk: --filter 'partition = dirichlt': no run matches; there are partition: iid\n");
  EXPECT_THAT(refused({"s", "--filter", "model = logregg"}),
              HasSubstr("there are model: logreg. Did you mean 'logreg'?"));
  EXPECT_THAT(refused({"s", "--metric", "acc"}), HasSubstr("Did you mean 'accuracy'?"));
  EXPECT_THAT(refused({"s", "--rows", "aggregater"}), HasSubstr("there is no column 'aggregater'"));
  EXPECT_EQ(refused({"s", "--rows", "seed", "--cols", "seed"}),
            "souk: the rows and columns of a table name 'seed' twice\n");
  EXPECT_EQ(refused({"s", "--compare", "mean,mean"}), "souk: two values are compared, not mean with itself\n");
  EXPECT_EQ(refused({"s", "--round", "99"}), "souk: --round 99: no run got further than round 2\n");
  EXPECT_THAT(refused({"s", "--select", "attack"}), HasSubstr("which cannot itself be chosen"));
  EXPECT_THAT(refused({"s", "--select", "seed"}), HasSubstr("evaluation.validation_fraction"));
  EXPECT_EQ(refused({"nowhere"}), "souk: nowhere: No such file or directory\n");
  EXPECT_EQ(refused({"s/cells/x"}), "souk: s/cells/x: No such file or directory\n");
}

}  // namespace
}  // namespace souk::table_test
