// `souk aggregate` as a user runs it.
#include "tests/support/update_files.hpp"

namespace souk::aggregate_test {
namespace {

using testing::AllOf;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Aggregate : public UpdateFilesTest {
 protected:
  Aggregate() : UpdateFilesTest("aggregate") {}
  void SetUp() override {
    UpdateFilesTest::SetUp();
    write("five.npy", npy<float>("(5, 2)", {1, -1, 2, -2, 3, -3, 1e30F, -4, -1e30F, 1e30F}, "<f4"));
  }
  std::vector<double> values(const std::string& name) const {
    return UpdateFilesTest::values<double>(name, "'descr': '<f8', 'fortran_order': False");
  }
};

TEST_F(Aggregate, writes_the_aggregate_and_one_line_about_it) {
  const Ended ended = run({"trimmed_mean", "--set", "f=1", "--updates", "five.npy", "--out", "a.npy"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(StartsWith("trimmed_mean n=5 d=2 ranks=1 seconds="), HasSubstr(" bytes_per_second=")));
  EXPECT_THAT(values("a.npy"), ElementsAre(2.0, -2.0));
}

TEST_F(Aggregate, gives_the_same_bytes_on_any_number_of_ranks) {
  std::vector<float> many(12 * 5000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>((i * 7919) % 1009) - 500.0F;
  write("many.npy", npy<float>("(12, 5000)", many, "<f4"));
  for (const int ranks : {1, 2, 3}) {
    const Ended ended = run({"multi_krum", "--pre", "arc", "--pre", "nnm", "--set", "f=3", "--updates", "many.npy",
                             "--out", "a" + std::to_string(ranks) + ".npy", "--ranks", std::to_string(ranks)});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(read("a" + std::to_string(ranks) + ".npy"), read("a1.npy"));
  }
}

/// Nearest-neighbour mixing with f = 1 of 1, 2, 4, 100: means of 3; the f of trimmed_mean is its own.
TEST_F(Aggregate, settings_reach_the_rule_its_pre_aggregators_or_the_one_named) {
  write("four.npy", npy<double>("(4, 1)", {1, 2, 4, 100}, "<f8"));
  const std::vector<std::string> words{"trimmed_mean", "--pre", "nnm", "--updates", "four.npy", "--out", "a.npy"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), words.begin(), words.end());
    const Ended ended = run(more);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return values("a.npy").at(0);
  };
  const double low = 7.0 / 3.0;     // of 1, 2, 4
  const double high = 106.0 / 3.0;  // of 100, 4, 2
  EXPECT_FLOAT_EQ(static_cast<float>(with({"--set", "f=1"})), static_cast<float>(low));
  EXPECT_FLOAT_EQ(static_cast<float>(with({"--set", "nnm.f=1", "--set", "trimmed_mean.f=0"})),
                  static_cast<float>((3.0 * low + high) / 4.0));
  EXPECT_FLOAT_EQ(static_cast<float>(with({"--set", "nnm.f=0", "--set", "trimmed_mean.f=1"})), 26.75F);
}

TEST_F(Aggregate, weights_and_scores_are_those_of_all_rows_and_rows_that_are_not_finite_are_left_out) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  write("bad.npy", npy<double>("(6, 2)", {1, 1, 1, 2, nan, 0, 2, 1, 50, 50, 2, 2}, "<f8"));
  const Ended ended = run({"krum", "--set", "f=1", "--updates", "bad.npy", "--weights", "w.npy", "--scores", "s.npy"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("1 of 6 updates are not finite"));
  EXPECT_THAT(ended.out, StartsWith("krum n=5 d=2"));
  EXPECT_THAT(values("w.npy"), ElementsAre(1, 0, 0, 0, 0, 0));
  EXPECT_THAT(values("s.npy"),
              ElementsAre(DoubleEq(-2), DoubleEq(-2), testing::IsNan(), DoubleEq(-2), DoubleEq(-9313), DoubleEq(-2)));
}

TEST_F(Aggregate, compares_with_the_servers_update) {
  write("two.npy", npy<float>("(2, 2)", {2, 0, 0, -3}, "<f4"));
  write("root.npy", npy<float>("(2,)", {0.6F, 0.8F}, "<f4"));
  EXPECT_EQ(run({"fltrust", "--updates", "two.npy", "--root", "root.npy", "--out", "a.npy"}).exit_code, 0);
  EXPECT_THAT(values("a.npy"), ElementsAre(testing::DoubleNear(1.0, 1e-7), 0.0));
}

TEST_F(Aggregate, wrong_input_is_one_sentence_and_nothing_written) {
  const std::vector<std::string> out{"--out", "a.npy"};
  const auto with_out = [&](std::vector<std::string> words) {
    words.insert(words.end(), out.begin(), out.end());
    return words;
  };
  write("flat.npy", npy<float>("(4,)", {1, 2, 3, 4}, "<f4"));
  write("long.npy", npy<float>("(3,)", {1, 2, 3}, "<f4"));
  expect_refused(with_out({"krum", "--updates", "five.npy"}), "needs a number of malicious updates to withstand");
  expect_refused(with_out({"krum", "--set", "f=2", "--updates", "five.npy"}), "--set f = 2: krum needs n >= 2 f + 3");
  expect_refused(with_out({"krumm", "--updates", "five.npy"}), "there is no rule 'krumm'. Did you mean 'krum'?");
  expect_refused(with_out({"median", "--updates", "none.npy"}), "none.npy: no such file");
  expect_refused(with_out({"median", "--updates", "flat.npy"}), "must be an n x d matrix");
  expect_refused(with_out({"fltrust", "--updates", "five.npy"}), "needs the server's own update");
  expect_refused(with_out({"fltrust", "--updates", "five.npy", "--root", "long.npy"}),
                 "has 3 values, the updates have 2");
  expect_refused(with_out({"flshield", "--updates", "five.npy"}), "needs a model and data");
  expect_refused(with_out({"median", "--updates", "five.npy", "--scores", "s.npy"}), "median gives no scores");
  expect_refused(with_out({"median", "--updates", "five.npy", "--set", "nnm.f=1"}),
                 "neither the rule nor a pre-aggregator");
  expect_refused(with_out({"median", "--updates", "five.npy", "--pre", "nmn", "--set", "f=1"}), "Did you mean 'nnm'?");
  expect_refused({"median", "--updates", "five.npy", "--out", "nowhere/a.npy"}, "nowhere/a.npy");
  expect_refused(with_out({"median", "--updates", "five.npy", "--weights", "nowhere/w.npy"}), "nowhere/w.npy");
  expect_refused(with_out({"median", "--updates", "five.npy", "--weights", "a.npy"}), "named for two outputs");
  expect_refused(with_out({"pre", "--updates", "five.npy"}), "there is no rule 'pre'");
  expect_refused(with_out({"krum", "--set", "f=-1", "--updates", "five.npy"}), "needs a number of malicious updates");
  expect_refused(with_out({"trimmed_mean", "--pre", "nnm", "--set", "ratio=0.2", "--updates", "five.npy"}),
                 "needs a number of malicious updates");
  expect_refused(with_out({"krum", "--pre", "nnm", "--set", "nnm.f=1", "--updates", "five.npy"}),
                 "needs a number of malicious updates");
}

}  // namespace
}  // namespace souk::aggregate_test
