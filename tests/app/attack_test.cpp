// `souk attack` as a user runs it.
#include <cmath>

#include "tests/support/update_files.hpp"

namespace souk::attack_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

using Rows = std::vector<std::vector<double>>;

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double square = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) square += (a[c] - b[c]) * (a[c] - b[c]);
  return std::sqrt(square);
}

std::vector<double> mean_of(const Rows& rows) {
  std::vector<double> mean(rows.front().size(), 0.0);
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) mean[c] += row[c] / static_cast<double>(rows.size());
  }
  return mean;
}

/// n x d numbers without an order.
std::vector<float> scattered(std::size_t n, std::size_t d) {
  std::vector<float> values(n * d);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 7919) % 1009) - 300.0F;
  return values;
}

/// Value of a diagnostic: of the line "name value".
double diagnostic(const Ended& ended, const std::string& name) {
  const auto at = ended.out.find("\n" + name + " ");
  EXPECT_NE(at, std::string::npos) << name << " in " << ended.out;
  return at == std::string::npos ? 0.0 : std::stod(ended.out.substr(at + name.size() + 2));
}

class Attack : public UpdateFilesTest {
 protected:
  Attack() : UpdateFilesTest("attack") {}
  void SetUp() override {
    UpdateFilesTest::SetUp();
    write("two.npy", npy<float>("(2, 3)", {2, 1, -3, 6, 1, 5}, "<f4"));
  }
  void write_rows(const std::string& name, std::size_t n, std::size_t d, const std::vector<float>& values) const {
    write(name, npy<float>("(" + std::to_string(n) + ", " + std::to_string(d) + ")", values, "<f4"));
  }
  Rows rows(const std::string& name, std::size_t m, std::size_t d) const {
    const std::string shape = "'shape': (" + std::to_string(m) + ", " + std::to_string(d) + ")";
    return cut(values<float>(name, "'descr': '<f4', 'fortran_order': False, " + shape), d);
  }
  static Rows cut(const std::vector<float>& values, std::size_t d) {
    Rows rows;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % d == 0) rows.emplace_back();
      rows.back().push_back(static_cast<double>(values[i]));
    }
    return rows;
  }
  Ended run_to_end(const std::vector<std::string>& words) const {
    const Ended ended = run(words);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
    return ended;
  }
};

TEST_F(Attack, writes_the_members_rows_and_says_what_it_did) {
  // Means 4, 1, 1; deviations 2, 0, 4.
  const Ended ended =
      run_to_end({"alie", "--set", "z=1.5", "--updates", "two.npy", "--malicious", "2", "--out", "a.npy"});
  EXPECT_THAT(ended.out, AllOf(StartsWith("alie n=2 m=2 d=3 ranks=1 seconds="), EndsWith("\nz 1.5\n")));
  EXPECT_THAT(rows("a.npy", 2, 3), ElementsAre(ElementsAre(1, 1, -5), ElementsAre(1, 1, -5)));
}

TEST_F(Attack, the_round_has_the_benign_updates_and_the_members) {
  // Of 3 + 2, a majority of 3 needs s = 1 honest supporter: z = Phi^-1((5 - 2 - 1) / (5 - 2)).
  write_rows("three.npy", 3, 1, {1, 2, 3});
  const Ended ended = run_to_end({"alie", "--updates", "three.npy", "--malicious", "2", "--out", "a.npy"});
  EXPECT_NEAR(diagnostic(ended, "z"), 0.43072729929545, 1e-9);
}

TEST_F(Attack, min_max_goes_as_far_as_its_bound) {
  const Rows benign = cut(scattered(7, 40), 40);
  write_rows("seven.npy", 7, 40, scattered(7, 40));
  run_to_end({"min_max", "--set", "perturbation=UNIT", "--updates", "seven.npy", "--malicious", "1", "--out", "a.npy"});
  const std::vector<double> crafted = rows("a.npy", 1, 40).front();
  double widest = 0.0, farthest = 0.0;
  for (const auto& a : benign) {
    farthest = std::max(farthest, distance(a, crafted));
    for (const auto& b : benign) widest = std::max(widest, distance(a, b));
  }
  EXPECT_NEAR(farthest, widest, 1e-5 * widest);
  // On the line of the mean, beyond it.
  const std::vector<double> mean = mean_of(benign);
  const double factor = crafted[0] / mean[0];
  for (std::size_t c = 0; c < 40; ++c) EXPECT_NEAR(crafted[c], factor * mean[c], 1e-3);
  EXPECT_LT(factor, 1.0);
}

TEST_F(Attack, gives_the_same_bytes_on_any_number_of_ranks) {
  write_rows("many.npy", 9, 5000, scattered(9, 5000));
  const std::vector<std::vector<std::string>> attacks{
      {"min_max"},
      {"gaussian", "--set", "fitted=true", "--seed", "5"},
      {"ipm_opt", "--against", "multi_krum", "--pre", "bucketing", "--set", "bucketing.size=2", "--set", "f=1"}};
  for (const auto& attack : attacks) {
    for (const std::string ranks : {"1", "2", "3"}) {
      std::vector<std::string> words = attack;
      const std::string out = attack.front() + ranks;
      words.insert(words.end(), {"--updates", "many.npy", "--malicious", "3", "--out", out + ".npy", "--ranks", ranks});
      EXPECT_THAT(run_to_end(words).out, HasSubstr(" n=9 m=3 d=5000 ranks=" + ranks + " "));
      EXPECT_EQ(read(out + ".npy"), read(attack.front() + "1.npy")) << out;
    }
  }
}

TEST_F(Attack, without_a_file_of_their_own_members_have_copies_of_the_benign_updates) {
  const std::vector<std::string> words{"sign_flip", "--updates", "two.npy", "--malicious", "3", "--out", "a.npy"};
  run_to_end(words);
  EXPECT_THAT(rows("a.npy", 3, 3),
              ElementsAre(ElementsAre(-2, -1, 3), ElementsAre(-6, -1, -5), ElementsAre(-2, -1, 3)));
  write_rows("own.npy", 3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  std::vector<std::string> with_own = words;
  with_own.insert(with_own.end(), {"--own", "own.npy", "--set", "sign_flip.scale=2", "--ranks", "2"});
  run_to_end(with_own);
  EXPECT_THAT(rows("a.npy", 3, 3),
              ElementsAre(ElementsAre(-2, -4, -6), ElementsAre(-8, -10, -12), ElementsAre(-14, -16, -18)));
}

TEST_F(Attack, members_know_the_model_and_its_last_change) {
  write("v.npy", npy<double>("(3,)", {0.5, -1, 2}, "<f8"));
  run_to_end({"free_rider", "--set", "kind=DELTA", "--change", "v.npy", "--round", "2", "--updates", "two.npy",
              "--malicious", "1", "--out", "a.npy"});
  EXPECT_THAT(rows("a.npy", 1, 3), ElementsAre(ElementsAre(0.5, -1, 2)));
  // Towards weights of nearly 0, twice the way.
  run_to_end({"mpaf", "--set", "lambda=2", "--set", "sigma=1e-30", "--global", "v.npy", "--updates", "two.npy",
              "--malicious", "1", "--out", "a.npy"});
  EXPECT_THAT(rows("a.npy", 1, 3), ElementsAre(ElementsAre(-1, 2, -4)));
}

TEST_F(Attack, tries_its_submissions_on_the_rule_it_knows_with_f_of_m_unless_told) {
  const std::vector<float> benign = scattered(8, 30);
  write_rows("eight.npy", 8, 30, benign);
  const std::vector<double> mean = mean_of(cut(benign, 30));
  for (const std::string f : {"2", "1"}) {
    std::vector<std::string> words{"ipm_opt",     "--against", "trimmed_mean", "--updates", "eight.npy",
                                   "--malicious", "2",         "--out",        "a.npy"};
    if (f == "1") words.insert(words.end(), {"--set", "f=1"});
    const Ended ended = run_to_end(words);
    const Rows crafted = rows("a.npy", 2, 30);
    const double epsilon = diagnostic(ended, "epsilon");
    for (std::size_t c = 0; c < 30; ++c) EXPECT_NEAR(crafted[1][c], -epsilon * mean[c], 1e-3);
    // What the rule makes of the round, by the command that applies rules.
    std::vector<float> round = benign;
    for (const auto& row : crafted) round.insert(round.end(), row.begin(), row.end());
    write_rows("round.npy", 10, 30, round);
    const Ended judged = RunningProgram({std::getenv("SOUK_PROGRAM"), "aggregate", "trimmed_mean", "--set", "f=" + f,
                                         "--updates", "round.npy", "--out", "step.npy"},
                                        directory_)
                             .wait();
    ASSERT_EQ(judged.exit_code, 0) << judged.err;
    EXPECT_NEAR(diagnostic(ended, "distance"), distance(values<double>("step.npy", "'<f8'"), mean), 1e-3) << f;
  }
}

TEST_F(Attack, knows_the_servers_own_update) {
  write("root.npy", npy<float>("(3,)", {3, 0, 4}, "<f4"));
  const Ended ended = run_to_end({"fltrust_adaptive", "--against", "fltrust", "--root", "root.npy", "--updates",
                                  "two.npy", "--malicious", "1", "--out", "a.npy"});
  EXPECT_NEAR(distance(rows("a.npy", 1, 3).front(), {0, 0, 0}), 5.0, 1e-5);
}

TEST_F(Attack, updates_that_are_not_finite_are_written_as_they_are) {
  run_to_end({"nan", "--updates", "two.npy", "--malicious", "1", "--out", "a.npy"});
  EXPECT_THAT(rows("a.npy", 1, 3), ElementsAre(ElementsAre(testing::IsNan(), 1, -3)));
}

TEST_F(Attack, wrong_input_is_one_sentence_and_nothing_written) {
  const auto words_of = [](std::vector<std::string> words) {
    words.insert(words.end(), {"--malicious", "2", "--out", "a.npy"});
    return words;
  };
  const auto refused = [&](std::vector<std::string> words, const std::string& message) {
    words.insert(words.end(), {"--updates", "two.npy"});
    expect_refused(words_of(words), message);
  };
  write("flat.npy", npy<float>("(4,)", {1, 2, 3, 4}, "<f4"));
  write("nan.npy", npy<float>("(1, 2)", {1, NAN}, "<f4"));
  refused({"aliee"}, "there is no attack on updates 'aliee'. Did you mean 'alie'?");
  refused({"pga"}, "pga trains a model");
  refused({"label_flip"}, "label_flip changes the data");
  refused({"false_reports"}, "false_reports changes what validators report");
  refused({"wrong_length"}, "wrong_length sends updates of another length");
  refused({"wrong_length", "--set", "difference=0"}, "wrong_length.difference = 0");
  refused({"alie", "--set", "zz=1"}, "zz");
  refused({"sign_flip", "--set", "scale=-1"}, "scale");
  refused({"ipm_opt"}, "ipm_opt needs to know the server's rule: --against RULE");
  refused({"ipm_opt", "--against", "medain"}, "there is no rule 'medain'. Did you mean 'median'?");
  refused({"ipm_opt", "--against", "krum"}, "krum needs n >= 2 f + 3");
  refused({"ipm_opt", "--against", "flshield"}, "flshield needs a model and data");
  refused({"ipm_opt", "--against", "fltrust"}, "fltrust needs the server's own update");
  refused({"fltrust_adaptive", "--against", "mean"}, "fltrust_adaptive needs the server's own update");
  refused({"alie", "--pre", "nnm"}, "only with --against");
  refused({"alie", "--own", "flat.npy"}, "must be an n x d matrix");
  refused({"alie", "--own", "nan.npy"}, "not a finite");
  write_rows("one.npy", 1, 3, {1, 2, 3});
  refused({"alie", "--own", "one.npy"}, "one.npy: is 1 x 3, must be 2 x 3");
  expect_refused(words_of({"alie", "--updates", "one.npy"}), "one.npy: alie needs to know 2 updates, and it holds 1");
  expect_refused({"pivot", "--updates", "two.npy", "--malicious", "1", "--out", "a.npy"},
                 "--malicious 1: pivot needs 2 members");
  refused({"scaling", "--set", "factor=1"}, "scaling.factor = 1");
  refused({"alie", "--global", "flat.npy"}, "flat.npy: has 4 values, the updates have 3");
  refused({"alie", "--change", "none.npy"}, "none.npy: no such file");
  expect_refused(words_of({"alie", "--updates", "flat.npy"}), "must be an n x d matrix");
  expect_refused(words_of({"alie", "--updates", "nan.npy"}), "not a finite");
  expect_refused({"alie", "--updates", "two.npy", "--malicious", "1", "--out", "nowhere/a.npy"}, "nowhere/a.npy");
}

TEST_F(Attack, says_that_it_could_do_nothing) {
  const Ended ended = run({"pivot", "--updates", "two.npy", "--malicious", "2", "--out", "a.npy"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.err, HasSubstr("pivot has no winner to follow"));
  EXPECT_THAT(ended.out, testing::Not(HasSubstr("following"))) << "nothing to tell of what did not happen";
}

TEST_F(Attack, the_number_of_members_is_asked_for) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"alie", "--updates", "two.npy", "--out", "a.npy"},
        {"alie", "--updates", "two.npy", "--out", "a.npy", "--malicious", "0"}}) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("--malicious"));
    EXPECT_FALSE(std::filesystem::exists(directory_ / "a.npy"));
  }
}

}  // namespace
}  // namespace souk::attack_test
