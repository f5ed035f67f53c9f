#include <cmath>

#include <gmock/gmock.h>

#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"
#include "tests/support/brute_force.hpp"

namespace souk::fltrust_adaptive_test {
namespace {

using brute_force::Vector;
using brute_force::Vectors;

constexpr std::size_t n = 12, m = 3, d = 200;

/// FLTrust (Cao et al., NDSS 2021), equations 2 to 5, on whole vectors.
Vector fltrust(const Vectors& rows, const Vector& root) {
  Vector sum(root.size(), 0.0);
  double trust = 0.0;
  for (const Vector& row : rows) {
    const double score = std::max(0.0, brute_force::dot(row, root) / brute_force::norm(row) / brute_force::norm(root));
    const Vector scaled = brute_force::scaled(row, score * brute_force::norm(root) / brute_force::norm(row));
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += scaled[c];
    trust += score;
  }
  return brute_force::scaled(sum, 1.0 / trust);
}

/// s^T (g - g'), s = sign(g).
double harm(const Rows& honest, const Rows& crafted, const std::vector<float>& root) {
  Vectors rows = brute_force::of(honest);
  const Vector root_update(root.begin(), root.end());
  const Vector before = fltrust(rows, root_update);
  for (std::size_t i = 0; i < crafted.size(); ++i) rows[i].assign(crafted[i].begin(), crafted[i].end());
  const Vector after = fltrust(rows, root_update);
  double sum = 0.0;
  for (std::size_t c = 0; c < before.size(); ++c) sum += (before[c] > 0.0 ? 1.0 : -1.0) * (before[c] - after[c]);
  return sum;
}

/// As small as the update of a training: steps are proportional to it, and too long ones do not climb.
constexpr float root_scale = 0.003F;

/// Honest updates of a common part so many times their noise, and a root update in its direction, with noise. Where all
/// have the same sign the Trim attack keeps it, and FLTrust trusts it.
AttackRound round_with_root(std::size_t columns = d, float signal = 3.0F) {
  AttackRound world{.honest = random_rows(n, columns), .members = m, .level = Knowledge::rule};
  const std::vector<float> noise = random_rows(n + 1, columns, 0.1).back();
  for (std::size_t c = 0; c < columns; ++c) {
    const float common = signal * static_cast<float>(static_cast<int>(c % 5) - 2);
    for (auto& row : world.honest) row[c] += common;
    world.root_update.push_back(root_scale * (common + noise[c]));
  }
  return world;
}

TEST(FlTrustAdaptive, climbs_from_the_trim_attack_as_fltrust_itself_sees_it) {
  const AttackRound world = round_with_root();
  const CraftedRows crafted = craft("fltrust_adaptive {}", world);
  const double found = harm(world.honest, crafted.rows, world.root_update);
  EXPECT_NEAR(crafted.diagnostics.at("h"), found, 1e-4 * found);
  // The Trim attack draws the same numbers.
  const double start = harm(world.honest, craft("fang_trim {}", world).rows, world.root_update);
  EXPECT_NEAR(crafted.diagnostics.at("h_before"), start, 1e-4 * std::abs(start));
  EXPECT_GT(found, start + 0.1 * std::abs(start));
}

TEST(FlTrustAdaptive, climbs_further_with_more_passes) {
  const AttackRound world = round_with_root();
  const auto h = [&](const std::string& passes) {
    return craft("fltrust_adaptive { passes: " + passes + " }", world).diagnostics.at("h");
  };
  EXPECT_GT(h("10"), h("1"));
  EXPECT_GT(h("40"), h("10"));
}

TEST(FlTrustAdaptive, stays_at_the_trim_attack_where_fltrust_does_not_trust_it) {
  const AttackRound world = round_with_root(d, 0.3F);
  const Vectors trim = brute_force::of(craft("fang_trim {}", world).rows);
  const Vector root(world.root_update.begin(), world.root_update.end());
  const CraftedRows crafted = craft("fltrust_adaptive {}", world);
  EXPECT_EQ(crafted.diagnostics.at("trusted"), 0.0);
  for (std::size_t i = 0; i < m; ++i) {
    ASSERT_LT(brute_force::dot(trim[i], root), 0.0);
    const double factor = brute_force::norm(root) / brute_force::norm(trim[i]);
    brute_force::expect_close(crafted.rows[i], brute_force::scaled(trim[i], factor));
  }
}

TEST(FlTrustAdaptive, submits_the_root_updates_norm) {
  const AttackRound world = round_with_root();
  const Vector root(world.root_update.begin(), world.root_update.end());
  for (const Vector& row : brute_force::of(craft("fltrust_adaptive {}", world).rows)) {
    EXPECT_NEAR(brute_force::norm(row), brute_force::norm(root), 1e-5 * brute_force::norm(root));
  }
}

TEST(FlTrustAdaptive, has_nothing_to_submit_beside_a_root_update_of_zero) {
  AttackRound world = round_with_root();
  world.root_update.assign(d, 0.0F);
  const CraftedRows crafted = craft("fltrust_adaptive {}", world);
  for (const auto& row : crafted.rows) EXPECT_THAT(row, testing::Each(0.0F));
  EXPECT_EQ(crafted.diagnostics.at("h"), 0.0);
}

TEST(FlTrustAdaptive, has_the_same_bits_on_any_number_of_ranks) {
  const AttackRound world = round_with_root(5000);
  const CraftedRows expected = craft("fltrust_adaptive { passes: 2 }", world);
  for (const int ranks : {2, 3, 7}) {
    run_team(ranks, [&](const Comm& comm) {
      const auto attack = std::move(make_update_attacks(attack_group("fltrust_adaptive { passes: 2 }")).front());
      const CraftedRows crafted = craft(comm, *attack, world);
      if (comm.rank() != 0) return;
      EXPECT_EQ(crafted.rows, expected.rows) << ranks;
      EXPECT_EQ(crafted.diagnostics, expected.diagnostics) << ranks;
    });
  }
}

}  // namespace
}  // namespace souk::fltrust_adaptive_test
