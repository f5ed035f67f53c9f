#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"
#include "tests/support/brute_force.hpp"

namespace souk::min_max_test {
namespace {

using brute_force::Vector;
using brute_force::Vectors;
using testing::ElementsAre;

double farthest(const Vectors& rows, const Vector& from) {
  double most = 0.0;
  for (const Vector& row : rows) most = std::max(most, brute_force::distance(row, from));
  return most;
}

double sum_of_squares(const Vectors& rows, const Vector& from) {
  double sum = 0.0;
  for (const Vector& row : rows) sum += std::pow(brute_force::distance(row, from), 2);
  return sum;
}

using Measure = double (*)(const Vectors&, const Vector&);

/// What the attack must stay within: the largest measure of an update among the updates.
double bound_of(const Vectors& rows, Measure measure) {
  double most = 0.0;
  for (const Vector& row : rows) most = std::max(most, measure(rows, row));
  return most;
}

Vector perturbation(const Vectors& rows, const std::string& kind) {
  const Vector mean = brute_force::mean(rows);
  if (kind == "UNIT") return brute_force::scaled(mean, -1.0 / brute_force::norm(mean));
  Vector direction;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    double square = 0.0;
    for (const Vector& row : rows) square += std::pow(row[c] - mean[c], 2) / static_cast<double>(rows.size());
    direction.push_back(kind == "STD" ? -std::sqrt(square) : (mean[c] > 0.0 ? -1.0 : 1.0));
  }
  return direction;
}

struct Case {
  const char* attack;
  Measure measure;
};

/// Updates as a round has them: a common part, larger than their differences by `common`.
Rows round_of(std::size_t n, std::size_t d, float common) {
  Rows rows = random_rows(n, d, 0.1);
  const std::vector<float> shared = random_rows(n + 1, d).back();
  for (auto& row : rows) {
    for (std::size_t c = 0; c < d; ++c) row[c] += common * shared[c];
  }
  return rows;
}

TEST(MinMaxAndMinSum, go_exactly_as_far_as_their_bound_allows) {
  for (const Case& each : {Case{"min_max", farthest}, Case{"min_sum", sum_of_squares}}) {
    for (const char* kind : {"UNIT", "STD", "SIGN"}) {
      for (const float common : {0.0F, 1.0F, 30.0F}) {
        SCOPED_TRACE(testing::Message() << each.attack << ' ' << kind << ' ' << common);
        const Rows honest = round_of(12, 600, common);
        const CraftedRows crafted =
            craft(std::string(each.attack) + " { perturbation: " + kind + " }", {.honest = honest, .members = 3});
        const Vectors benign = brute_force::of({honest.begin() + 3, honest.end()});
        const Vector mean = brute_force::mean(benign);
        const double gamma = crafted.diagnostics.at("gamma");
        const auto at = [&](double length) {
          const Vector direction = perturbation(benign, kind);
          Vector point = mean;
          for (std::size_t c = 0; c < point.size(); ++c) point[c] += length * direction[c];
          return point;
        };
        const double bound = bound_of(benign, each.measure);
        EXPECT_NEAR(each.measure(benign, at(gamma)), bound, 2e-4 * bound);
        EXPECT_GT(each.measure(benign, at(1.001 * gamma)), bound);
        EXPECT_GT(gamma, 0.0);
        for (const auto& row : crafted.rows) brute_force::expect_close(row, at(gamma), 1e-5);
      }
    }
  }
}

TEST(MinMax, is_what_one_computes_by_hand) {
  // Benign 2 and 4: mean 3, largest distance 2, deviation 1. 3 - gamma is at most 2 from 4 until gamma = 1.
  EXPECT_THAT(craft("min_max {}", {.honest = {{9}, {2}, {4}}}).rows, ElementsAre(ElementsAre(2)));
}

TEST(MinSum, is_what_one_computes_by_hand) {
  // Benign 0, 2 and 4: from 0 the squares add up to 4 + 16 = 20, from the mean 2 to 8 + 3 x^2: x = 2.
  const Rows rows = craft("min_sum { perturbation: SIGN }", {.honest = {{9}, {0}, {2}, {4}}}).rows;
  EXPECT_NEAR(rows[0][0], 0.0, 1e-6);
}

TEST(MinMaxAndMinSum, submit_the_mean_where_there_is_no_direction_or_no_distance) {
  for (const char* attack : {"min_max", "min_sum"}) {
    for (const char* kind : {"UNIT", "STD", "SIGN"}) {
      const std::string group = std::string(attack) + " { perturbation: " + kind + " }";
      EXPECT_THAT(craft(group, {.honest = {{9, 9}, {1, 2}, {1, 2}}}).rows, ElementsAre(ElementsAre(1, 2))) << group;
      EXPECT_THAT(craft(group, {.honest = {{9, 9}, {1, 2}}}).rows, ElementsAre(ElementsAre(1, 2))) << group;
    }
    const std::string sign = std::string(attack) + " { perturbation: SIGN }";
    EXPECT_THAT(craft(sign, {.honest = {{9, 9}, {1, 2}, {-1, -2}}}).rows, ElementsAre(ElementsAre(0, 0)));
  }
}

TEST(MinMaxAndMinSum, have_the_same_bits_on_any_number_of_ranks) {
  const AttackRound world{.honest = round_of(9, 20000, 1.0F), .members = 2};
  for (const char* group : {"min_max { perturbation: UNIT }", "min_max {}", "min_sum { perturbation: SIGN }"}) {
    const CraftedRows expected = craft(group, world);
    for (const int ranks : {2, 3, 7}) {
      run_team(ranks, [&](const Comm& comm) {
        const auto attack = std::move(make_update_attacks(attack_group(group)).front());
        const CraftedRows crafted = craft(comm, *attack, world);
        if (comm.rank() != 0) return;
        EXPECT_EQ(crafted.rows, expected.rows) << group << ' ' << ranks;
        EXPECT_EQ(crafted.diagnostics, expected.diagnostics) << group << ' ' << ranks;
      });
    }
  }
}

}  // namespace
}  // namespace souk::min_max_test
