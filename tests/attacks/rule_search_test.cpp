#include <cmath>
#include <functional>

#include <gmock/gmock.h>

#include "sim/comm/thread_team.hpp"
#include "sim/params/linear.hpp"
#include "tests/support/attack_world.hpp"
#include "tests/support/brute_force.hpp"

namespace souk::rule_search_test {
namespace {

using brute_force::Vector;
using testing::ElementsAre;

/// The mean of the rows that a filter on their norms lets through, and how often it was asked.
class FilteredMean : public RuleProbe {
 public:
  FilteredMean(const Comm& comm, std::function<bool(std::span<const float>)> passes)
      : comm_(comm), passes_(std::move(passes)) {}
  ProbeResult judge(const ColumnMatrix& updates, std::span<const std::size_t>) override {
    ++asked;
    const std::vector<RowRange> all(static_cast<std::size_t>(comm_.size()), RowRange{0, updates.rows()});
    const std::vector<float> values = gather_rows(comm_, updates, all);
    std::vector<double> weights;
    for (std::size_t i = 0; i < updates.rows(); ++i) {
      weights.push_back(passes_(std::span(values).subspan(i * updates.dimension(), updates.dimension())) ? 1.0 : 0.0);
    }
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& weight : weights) weight /= sum;
    return {combine(updates, weights), weights};
  }
  int asked = 0;

 private:
  Comm comm_;
  std::function<bool(std::span<const float>)> passes_;
};

bool anything(std::span<const float>) { return true; }

TEST(IpmOptimized, goes_to_its_limit_where_the_rule_is_the_mean) {
  FilteredMean rule(Comm::self(), anything);
  // Benign mean (2, 0); with -3 times it in one row of four, the mean is (0, 0), at distance 2.
  const AttackRound world{.honest = {{9, 9}, {1, 1}, {3, -1}, {2, 0}}, .level = Knowledge::rule, .rule = &rule};
  const CraftedRows crafted = craft("ipm_opt { limit: 3 evaluations: 10 }", world);
  EXPECT_THAT(crafted.rows, ElementsAre(ElementsAre(-6, 0)));
  EXPECT_EQ(crafted.diagnostics.at("epsilon"), 3.0);
  EXPECT_NEAR(crafted.diagnostics.at("distance"), 2.0, 1e-6);
  EXPECT_EQ(rule.asked, 10);
}

TEST(IpmOptimized, stops_short_of_what_the_rule_rejects) {
  // Nothing with a first coordinate below -3 passes: epsilon = 1.5 is the last that does.
  FilteredMean rule(Comm::self(), [](std::span<const float> row) { return row[0] >= -3.0F; });
  const AttackRound world{
      .honest = {{9, 9}, {8, 8}, {1, 1}, {3, -1}, {2, 0}}, .members = 2, .level = Knowledge::rule, .rule = &rule};
  const auto found = [&](const std::string& evaluations) {
    return craft("ipm_opt { evaluations: " + evaluations + " }", world).diagnostics;
  };
  EXPECT_LE(found("16").at("epsilon"), 1.5);
  EXPECT_GT(found("16").at("epsilon"), 1.3);
  EXPECT_LE(found("40").at("epsilon"), 1.5);
  EXPECT_GT(found("40").at("epsilon"), 1.49);
  // Two rows at (-2 epsilon, 0) and three at (2, 0) on average: the mean moves by 2/5 (2 epsilon + 2).
  const auto best = found("40");
  EXPECT_NEAR(best.at("distance"), 0.4 * (2.0 * best.at("epsilon") + 2.0), 1e-5);
}

TEST(AlieOptimized, tries_either_side_of_the_mean) {
  // Deviations are 1 in both coordinates, means 2 and 0; first coordinates below 1.5 are rejected, so z < 0 does more.
  FilteredMean rule(Comm::self(), [](std::span<const float> row) { return row[0] >= 1.5F || row[0] == 1.0F; });
  const AttackRound world{.honest = {{9, 9}, {1, 1}, {3, -1}}, .level = Knowledge::rule, .rule = &rule};
  const CraftedRows crafted = craft("alie_opt { limit: 4 evaluations: 12 }", world);
  EXPECT_EQ(crafted.diagnostics.at("z"), -4.0);
  EXPECT_THAT(crafted.rows, ElementsAre(ElementsAre(6, 4)));
  EXPECT_NEAR(crafted.diagnostics.at("distance"), std::hypot(4.0 / 3, 4.0 / 3), 1e-5);
  EXPECT_EQ(rule.asked, 12);
}

TEST(AlieOptimized, stays_with_the_first_value_where_none_does_harm) {
  FilteredMean rule(Comm::self(), [](std::span<const float> row) { return row[0] + 2 * row[1] == row[2]; });
  const AttackRound world{.honest = {{9, 9, 9}, {1, 1, 3}, {3, -1, 1}}, .level = Knowledge::rule, .rule = &rule};
  const CraftedRows crafted = craft("alie_opt { limit: 4 }", world);
  EXPECT_EQ(crafted.diagnostics.at("z"), 4.0);
  EXPECT_EQ(crafted.diagnostics.at("distance"), 0.0);
}

TEST(AlieOptimized, takes_nothing_for_harm_that_is_no_number) {
  // Below 2 nobody passes, and the mean of nobody is no number.
  FilteredMean rule(Comm::self(), [](std::span<const float> row) { return row[0] > 2.0F; });
  const AttackRound world{.honest = {{9}, {1}, {1.5F}}, .level = Knowledge::rule, .rule = &rule};
  const CraftedRows crafted = craft("alie_opt { limit: 8 evaluations: 2 }", world);
  EXPECT_EQ(crafted.diagnostics.at("z"), -8.0);
  EXPECT_EQ(crafted.diagnostics.at("distance"), 2.0);  // mean 1.25, deviation 0.25, submitted 3.25
}

TEST(OptimizedAttacks, have_the_same_bits_on_any_number_of_ranks) {
  const Rows honest = random_rows(6, 20000);
  const auto passes = [](std::span<const float> row) { return std::abs(row[19999]) < 3.0F; };
  for (const char* group : {"ipm_opt {}", "alie_opt {}"}) {
    CraftedRows expected;
    for (const int ranks : {1, 2, 3, 7}) {
      run_team(ranks, [&](const Comm& comm) {
        FilteredMean rule(comm, passes);
        const auto attack = std::move(make_update_attacks(attack_group(group)).front());
        const AttackRound world{.honest = honest, .members = 2, .level = Knowledge::rule, .rule = &rule};
        const CraftedRows crafted = craft(comm, *attack, world);
        if (comm.rank() != 0) return;
        if (expected.rows.empty()) expected = crafted;
        EXPECT_EQ(crafted.rows, expected.rows) << group << ' ' << ranks;
        EXPECT_EQ(crafted.diagnostics, expected.diagnostics) << group << ' ' << ranks;
      });
    }
  }
}

}  // namespace
}  // namespace souk::rule_search_test
