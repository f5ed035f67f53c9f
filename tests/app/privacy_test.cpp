#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/app_fixture.hpp"

namespace souk::privacy_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class PrivacyCommand : public App {
 protected:
  Ended privacy(std::vector<std::string> words) const {
    words.insert(words.begin(), "privacy");
    return run(words);
  }
  /// The number that follows a head.
  static double number_after(const std::string& text, const std::string& head) {
    const auto at = text.find(head);
    return at == std::string::npos ? -1.0 : std::stod(text.substr(at + head.size()));
  }
};

TEST_F(PrivacyCommand, says_epsilon_by_all_accountants) {
  const Ended ended = privacy({"--sampling", "0.25", "--noise", "2", "--rounds", "150", "--delta", "1e-5"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_NEAR(number_after(ended.out, "epsilon"), 8.0973, 8e-3);
  EXPECT_NEAR(number_after(ended.out, "by Renyi divergences"), 8.79541, 1e-5);
  EXPECT_NEAR(number_after(ended.out, "by the Gaussian limit"), 7.80194, 1e-5);
  EXPECT_THAT(ended.out, HasSubstr("an approximation, which may be too small"));
}

TEST_F(PrivacyCommand, says_the_noise_for_an_epsilon) {
  const Ended ended = privacy({"--sampling", "0.1", "--epsilon", "8", "--rounds", "100"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.out, StartsWith("noise multiplier"));
  EXPECT_NEAR(number_after(ended.out, "noise multiplier"), 0.9359, 3e-4);
  EXPECT_LE(number_after(ended.out, "epsilon"), 8.0);
}

TEST_F(PrivacyCommand, refuses_what_is_no_mechanism_in_one_sentence) {
  const auto refused = [&](const std::vector<std::string>& words, const std::string& why) {
    const Ended ended = privacy(words);
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr(why));
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  };
  refused({}, "give one of --noise");
  refused({"--noise", "1", "--epsilon", "1"}, "give one of --noise");
  refused({"--noise", "0"}, "--noise 0");
  refused({"--noise", "1", "--sampling", "1.5"}, "--sampling 1.5");
  refused({"--noise", "1", "--sampling", "0"}, "--sampling 0");
  refused({"--noise", "1", "--delta", "1"}, "--delta 1");
  refused({"--noise", "1", "--delta", "1e-12"}, "--delta 1e-12");
  refused({"--noise", "1", "--rounds", "0"}, "--rounds 0");
  refused({"--epsilon", "0"}, "--epsilon 0");
  refused({"--epsilon", "1e-9", "--rounds", "100000", "--delta", "1e-10"}, "no noise multiplier");
}

TEST_F(PrivacyCommand, check_foretells_epsilon) {
  write("private.textproto",
        "rounds: 150 task { data { glyphs { train_samples: 200 test_samples: 50 } } model { mlp { hidden: 4 } } } "
        "participants { clients: 20 poisson: 0.25 } aggregator { mean { weighting: UNIFORM } } privacy { "
        "noise_multiplier: 2 }");
  const Ended ended = run({"check", "private.textproto"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("(5 updates per round, expected)"));
  EXPECT_THAT(ended.out, HasSubstr("epsilon 8.09"));
  EXPECT_THAT(ended.out, HasSubstr("at delta 1e-05 after 150 rounds"));
}

}  // namespace
}  // namespace souk::privacy_test
