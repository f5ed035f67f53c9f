// Rules that look for the best subset, against all subsets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::subsets_test {
namespace {

using brute_force::Indices;
using brute_force::Vectors;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::size_t d = 11;

double scatter(const Vectors& rows, const Indices& which) {
  const Vectors chosen = brute_force::some(rows, which);
  return brute_force::top_direction(
             brute_force::covariance(chosen, brute_force::shares(brute_force::everybody(chosen.size()), chosen.size())))
      .variance;
}

/// The first of the best subsets in lexicographic order.
template <class Measure>
Indices best(const Vectors& rows, std::size_t size, Measure measure) {
  Indices winner;
  double least = std::numeric_limits<double>::infinity();
  for (const Indices& subset : brute_force::subsets(rows.size(), size)) {
    const double value = measure(rows, subset);
    if (value >= least) continue;
    least = value;
    winner = subset;
  }
  return winner;
}

Indices chosen_by(const std::string& rule, const Rows& rows, std::size_t f) {
  const Outcome outcome = run_rule(rule, {.rows = rows, .tolerated_f = f});
  Indices chosen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (outcome.weights[i] > 0.0) chosen.push_back(i);
  }
  brute_force::expect_close(outcome.weights, brute_force::shares(chosen, rows.size()), 1e-12);
  brute_force::expect_close(outcome.step, brute_force::mean(brute_force::some(brute_force::of(rows), chosen)));
  return chosen;
}

TEST(Mda, finds_the_subset_of_smallest_diameter) {
  for (std::size_t n = 3; n <= 12; ++n) {
    for (std::size_t f = 0; 2 * f < n; ++f) {
      const Rows rows = random_rows(n, d);

      EXPECT_EQ(chosen_by("mda {}", rows, f), best(brute_force::of(rows), n - f, brute_force::diameter))
          << n << ' ' << f;
    }
  }
}

TEST(Mda, takes_the_first_of_many_best_subsets_on_a_grid_full_of_ties) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    Stream random(seed, StreamKey{Purpose::update_attack, nobody, {1}});
    Rows rows(9, std::vector<float>(2));
    for (auto& row : rows) {
      for (float& value : row) value = static_cast<float>(random.below(4));
    }
    for (std::size_t f = 1; f <= 4; ++f) {
      EXPECT_EQ(chosen_by("mda {}", rows, f), best(brute_force::of(rows), 9 - f, brute_force::diameter)) << seed;
    }
  }
}

TEST(Mda, among_the_nearest_is_never_better_and_finds_planted_outliers) {
  for (std::size_t n = 5; n <= 12; ++n) {
    const Rows rows = random_rows(n, d);
    const Vectors vectors = brute_force::of(rows);
    const std::size_t f = (n - 1) / 2;

    const double found = brute_force::diameter(vectors, chosen_by("mda { search: GREEDY }", rows, f));
    const double smallest = brute_force::diameter(vectors, chosen_by("mda {}", rows, f));
    EXPECT_GE(found, smallest);
    EXPECT_LE(found, 2.0 * smallest);
  }
  EXPECT_THAT(chosen_by("mda { search: GREEDY }", {{0}, {50}, {1}, {2}, {-40}}, 2), ElementsAre(0, 2, 3));
}

TEST(Mda, refuses_more_subsets_than_it_may_look_at) {
  EXPECT_NO_THROW(make_rule("mda {}")->check({.updates = 50, .tolerated_f = 20}));  // 2^20
  EXPECT_THAT([] { make_rule("mda {}")->check({.updates = 101, .tolerated_f = 50}); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("max_subsets"), HasSubstr("1.13e+15"), HasSubstr("GREEDY"))));
  EXPECT_NO_THROW(make_rule("mda { search: GREEDY }")->check({.updates = 101, .tolerated_f = 50}));
}

TEST(Smea, finds_the_subset_of_smallest_top_variance) {
  for (const std::size_t n : {3U, 5U, 8U, 10U}) {
    for (const std::size_t f : {std::size_t{0}, std::size_t{1}, (n - 1) / 2}) {
      const Rows rows = random_rows(n, d);

      EXPECT_EQ(chosen_by("smea {}", rows, f), best(brute_force::of(rows), n - f, scatter)) << n << ' ' << f;
    }
  }
}

TEST(Smea, among_the_nearest_is_never_better_and_finds_planted_outliers) {
  for (const std::size_t n : {5U, 8U, 10U}) {
    const Rows rows = random_rows(n, d);
    const Vectors vectors = brute_force::of(rows);
    const std::size_t f = (n - 1) / 2;

    EXPECT_GE(scatter(vectors, chosen_by("smea { search: GREEDY }", rows, f)) * (1.0 + 1e-9),
              scatter(vectors, chosen_by("smea {}", rows, f)));
  }
  EXPECT_THAT(chosen_by("smea { search: GREEDY }", {{0}, {50}, {1}, {2}, {-40}}, 2), ElementsAre(0, 2, 3));
}

TEST(Smea, refuses_more_subsets_than_it_may_look_at) {
  EXPECT_NO_THROW(make_rule("smea {}")->check({.updates = 19, .tolerated_f = 8}));     // 75,582
  EXPECT_THAT([] { make_rule("smea {}")->check({.updates = 20, .tolerated_f = 9}); },  // 167,960
              ThrowsMessage<InputError>(AllOf(HasSubstr("max_subsets"), HasSubstr("1.68e+05"), HasSubstr("GREEDY"))));
}

}  // namespace
}  // namespace souk::subsets_test
