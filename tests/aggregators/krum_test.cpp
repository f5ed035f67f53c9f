// Krum and the rules made of it, against their definitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::krum_test {
namespace {

using brute_force::Indices;
using brute_force::Vectors;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::size_t d = 37;

Indices krum(const Vectors& rows, const Indices& which, std::size_t f, std::size_t count) {
  return brute_force::lowest(which, count, [&](std::size_t i) { return brute_force::krum_score(rows, which, i, f); });
}

/// Every n from 3 to 40 with as many malicious updates as n >= factor f + 3 allows, and with fewer.
template <class Check>
void for_each_size(std::size_t factor, Check check) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const std::size_t most = (n - 3) / factor;
    for (const std::size_t f : {std::size_t{0}, most / 2, most}) check(random_rows(n, d), n, f);
  }
}

TEST(Krum, takes_the_update_nearest_to_its_neighbours) {
  for_each_size(2, [](const Rows& rows, std::size_t n, std::size_t f) {
    const Vectors vectors = brute_force::of(rows);
    const Indices winner = krum(vectors, brute_force::everybody(n), f, 1);
    const Outcome outcome = run_rule("krum {}", {.rows = rows, .tolerated_f = f});

    EXPECT_EQ(outcome.step, rows[winner.front()]);
    brute_force::expect_close(outcome.weights, brute_force::shares(winner, n), 1e-12);
    for (std::size_t i = 0; i < n; ++i) {
      const double score = brute_force::krum_score(vectors, brute_force::everybody(n), i, f);
      EXPECT_NEAR(-outcome.scores[i], score, 1e-5 * score);
    }
  });
}

TEST(Krum, works_out_a_case_by_hand) {
  // n = 5, f = 1: two neighbours. Squared distances to them: 0: 1 + 9, 1: 1 + 4, 3: 4 + 9, 6: 9 + 25, 100: 8836 + 9409.
  const Outcome outcome = run_rule("krum { f: 1 }", {.rows = {{6}, {3}, {1}, {0}, {100}}});

  EXPECT_THAT(outcome.step, ElementsAre(1.0F));
  EXPECT_THAT(outcome.scores, ElementsAre(-34.0, -13.0, -5.0, -10.0, -18245.0));
}

TEST(Krum, gives_ties_to_the_smallest_id) {
  const Outcome outcome = run_rule("krum { f: 1 }", {.rows = {{9}, {4}, {2}, {4}, {2}, {4}, {2}}});

  EXPECT_THAT(outcome.weights, ElementsAre(0, 1, 0, 0, 0, 0, 0));
}

TEST(Krum, accepts_2_f_plus_3_updates_and_refuses_fewer_with_the_inequality) {
  const auto rule = make_rule("krum { f: 4 }");

  EXPECT_NO_THROW(rule->check({.updates = 11}));
  EXPECT_THAT([&] { rule->check({.updates = 10}); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("krum.f = 4"), HasSubstr("n >= 2 f + 3"),
                                              HasSubstr("10 is less than 11"), HasSubstr("at most 3"))));
}

TEST(MultiKrum, averages_the_updates_of_smallest_score) {
  for_each_size(2, [](const Rows& rows, std::size_t n, std::size_t f) {
    const Vectors vectors = brute_force::of(rows);
    const auto expect = [&](const std::string& rule, std::size_t count) {
      const Indices chosen = krum(vectors, brute_force::everybody(n), f, count);
      const Outcome outcome = run_rule(rule, {.rows = rows, .tolerated_f = f});
      brute_force::expect_close(outcome.step, brute_force::mean(brute_force::some(vectors, chosen)));
      brute_force::expect_close(outcome.weights, brute_force::shares(chosen, n), 1e-12);
    };
    expect("multi_krum {}", n - f);
    expect("multi_krum { m: 3 }", 3);
  });
}

TEST(MultiKrum, of_one_is_krum) {
  const RuleRound round{.rows = random_rows(15, d), .tolerated_f = 3};

  EXPECT_EQ(run_rule("multi_krum { m: 1 }", round), run_rule("krum {}", round));
}

TEST(MultiKrum, refuses_to_average_more_than_there_are) {
  EXPECT_NO_THROW(make_rule("multi_krum { m: 5 }")->check({.updates = 5, .tolerated_f = 1}));
  EXPECT_THROW(make_rule("multi_krum { m: 6 }")->check({.updates = 5, .tolerated_f = 1}), InputError);
}

TEST(Bulyan, averages_the_values_nearest_to_the_median_of_those_that_krum_chooses) {
  for_each_size(4, [](const Rows& rows, std::size_t n, std::size_t f) {
    const Vectors vectors = brute_force::of(rows);
    Indices left = brute_force::everybody(n), chosen;
    while (chosen.size() < n - 2 * f) {
      chosen.push_back(krum(vectors, left, f, 1).front());
      std::erase(left, chosen.back());
    }
    const auto expected =
        brute_force::by_column(brute_force::some(vectors, chosen), [&](const brute_force::Vector& column) {
          return brute_force::mean_near(column, brute_force::median(column), n - 4 * f);
        });
    const Outcome outcome = run_rule("bulyan {}", {.rows = rows, .tolerated_f = f});

    brute_force::expect_close(outcome.step, expected);
    brute_force::expect_close(outcome.weights, brute_force::shares(chosen, n), 1e-12);
  });
}

TEST(Bulyan, needs_4_f_plus_3_updates) {
  EXPECT_NO_THROW(make_rule("bulyan { f: 2 }")->check({.updates = 11}));
  EXPECT_THAT([] { make_rule("bulyan { f: 2 }")->check({.updates = 10}); },
              ThrowsMessage<InputError>(HasSubstr("n >= 4 f + 3")));
}

TEST(ToleratedF, is_the_scenarios_unless_the_rule_has_its_own) {
  const Rows rows = random_rows(15, d);

  EXPECT_EQ(run_rule("krum {}", {.rows = rows, .tolerated_f = 4}), run_rule("krum { f: 4 }", {.rows = rows}));
  EXPECT_EQ(run_rule("krum { f: 4 }", {.rows = rows, .tolerated_f = 1}), run_rule("krum { f: 4 }", {.rows = rows}));
  EXPECT_NE(run_rule("krum { f: 0 }", {.rows = rows, .tolerated_f = 4}), run_rule("krum { f: 4 }", {.rows = rows}));
  EXPECT_THAT([] { make_rule("krum {}")->check({.updates = 10, .tolerated_f = 4}); },
              ThrowsMessage<InputError>(HasSubstr("aggregator.tolerated_f = 4")));
}

TEST(ToleratedF, falls_to_what_the_updates_left_after_dropouts_allow) {
  const Rows rows = random_rows(7, d);

  EXPECT_EQ(run_rule("krum { f: 6 }", {.rows = rows}), run_rule("krum { f: 2 }", {.rows = rows}));
  EXPECT_EQ(run_rule("trimmed_mean { f: 6 }", {.rows = rows}), run_rule("trimmed_mean { f: 3 }", {.rows = rows}));
}

TEST(ToleratedF, says_which_f_it_used_and_why_it_is_less_than_it_was_told) {
  const auto of_seven = [](const std::string& rule, std::size_t tolerated_f) {
    RuleLog log;
    run_rule(rule, {.rows = random_rows(7, d), .tolerated_f = tolerated_f, .log = &log});
    return log;
  };
  const RuleLog enough = of_seven("krum {}", 2);
  EXPECT_EQ(enough.tolerated.at("f"), 2.0);
  EXPECT_THAT(enough.remarks, testing::IsEmpty());
  const RuleLog few = of_seven("krum { f: 6 }", 1);
  EXPECT_EQ(few.tolerated.at("f"), 2.0);
  EXPECT_THAT(few.remarks, testing::ElementsAre(testing::AllOf(HasSubstr("krum: f = 2 instead of 6"),
                                                               HasSubstr("2 f + 3"), HasSubstr("7 arrived"))));
  const RuleLog chain = of_seven("pre { nnm { f: 5 } } pre { arc {} } bulyan {}", 1);
  EXPECT_EQ(chain.tolerated, (std::map<std::string, double>{{"f", 1}, {"pre.nnm.f", 3}, {"pre.arc.f", 1}}));
  EXPECT_THAT(chain.remarks, testing::ElementsAre(HasSubstr("pre.nnm: f = 3 instead of 5")));
  const RuleLog buckets = of_seven("pre { bucketing { size: 2 } } krum { f: 1 }", 0);
  EXPECT_THAT(buckets.remarks, testing::ElementsAre(HasSubstr("4 arrived"))) << "buckets";
  const RuleLog nested = of_seven("err { f: 2 base { bulyan { f: 1 } } }", 0);
  EXPECT_EQ(nested.tolerated, (std::map<std::string, double>{{"f", 2}, {"base.f", 0}}));
  EXPECT_THAT(nested.remarks, testing::ElementsAre(HasSubstr("base bulyan: f = 0 instead of 1")));
}

/// Every rule with an inequality n >= .. f + .. says so when too few arrive.
TEST(ToleratedF, is_told_of_by_every_rule_that_has_one) {
  for (const char* rule : {"trimmed_mean", "meamed", "phocas", "krum", "multi_krum", "bulyan", "mda", "smea", "cge",
                           "caf", "monna", "dnc", "slsgd", "err", "lfr", "err_lfr"}) {
    RuleLog log;
    run_rule(std::string(rule) + " {}", {.rows = random_rows(3, d), .tolerated_f = 9, .log = &log});
    EXPECT_LT(log.tolerated.at("f"), 9.0) << rule;
    ASSERT_FALSE(log.remarks.empty()) << rule;
    EXPECT_THAT(log.remarks.front(), HasSubstr("instead of 9")) << rule;
  }
}

TEST(MultiKrum, says_that_fewer_than_m_arrived) {
  RuleLog log;
  run_rule("multi_krum { f: 0 m: 5 }", {.rows = random_rows(3, d), .log = &log});
  EXPECT_THAT(log.remarks, testing::ElementsAre(HasSubstr("averages 3 updates instead of m = 5")));
}

}  // namespace
}  // namespace souk::krum_test
