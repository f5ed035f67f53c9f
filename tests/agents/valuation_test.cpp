// What updates contribute: games with known answers, and brute force over permutations.
#include "agents/market/valuation.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "scenarios/market.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::valuation_test {
namespace {

using Values = std::vector<double>;

/// A game by its characteristic function.
class Game final : public CoalitionWorth {
 public:
  explicit Game(std::function<double(const Coalition&)> worth) : worth_(std::move(worth)) {}
  Values of(std::span<const Coalition> coalitions) override {
    ++calls;
    Values worths;
    for (const Coalition& coalition : coalitions) {
      seen.insert(coalition);
      worths.push_back(worth_(coalition));
    }
    return worths;
  }
  std::uint64_t evaluations() const override { return seen.size(); }

  std::set<Coalition> seen;
  int calls = 0;

 private:
  std::function<double(const Coalition&)> worth_;
};

std::size_t size_of(const Coalition& coalition) {
  return static_cast<std::size_t>(std::ranges::count(coalition, true));
}

/// Worths drawn for every coalition; 0 for the empty one.
Game random_game(std::size_t n, std::uint32_t number) {
  Stream random(number, StreamKey{Purpose::valuation, nobody, {}});
  Values worths(std::size_t{1} << n);
  for (std::size_t set = 1; set < worths.size(); ++set) worths[set] = random.normal() + std::popcount(set);
  return Game([worths](const Coalition& coalition) {
    std::size_t set = 0;
    for (std::size_t i = 0; i < coalition.size(); ++i) set |= std::size_t{coalition[i]} << i;
    return worths[set];
  });
}

/// Votes of those in it reach the quota.
Game voting_game(double quota, Values votes) {
  return Game([=](const Coalition& coalition) {
    double sum = 0.0;
    for (std::size_t i = 0; i < coalition.size(); ++i) sum += coalition[i] ? votes[i] : 0.0;
    return sum >= quota ? 1.0 : 0.0;
  });
}

std::unique_ptr<ValuationRule> rule_of(const std::string& text) {
  scenario::Market market;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &market)) << text;
  return make_valuation_rule(market);
}

/// Valuations that look at nothing but the game.
Valuation value(const std::string& text, CoalitionWorth& game, std::size_t n, std::uint64_t seed = 1) {
  const TestMatrix matrix(Comm::self(), Rows(n, std::vector<float>(1)));
  std::vector<AgentId> sellers;
  for (std::uint32_t i = 0; i < n; ++i) sellers.push_back({i});
  Stream random(seed, StreamKey{Purpose::valuation, nobody, {1}});
  return rule_of(text)->value({.comm = Comm::self(),
                               .round = {1},
                               .random = random,
                               .sellers = sellers,
                               .samples = Values(n, 1.0),
                               .updates = matrix.columns(),
                               .root_update = nullptr,
                               .worth = &game});
}

/// Mean marginal contributions over all n! orders.
Values by_brute_force(CoalitionWorth& game, std::size_t n) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Values sums(n, 0.0);
  double orders = 0.0;
  do {
    Coalition coalition(n, false);
    double before = 0.0;
    for (const std::size_t i : order) {
      coalition[i] = true;
      const double after = game.of(std::span(&coalition, 1)).front();
      sums[i] += after - before;
      before = after;
    }
    orders += 1.0;
  } while (std::next_permutation(order.begin(), order.end()));
  for (double& sum : sums) sum /= orders;
  return sums;
}

double sum_of(const Values& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void expect_all_near(const Values& a, const Values& b, double tolerance, const std::string& what = "") {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance) << what << " " << i;
}

TEST(Valuation, none_is_chosen_by_default) { EXPECT_EQ(rule_of(""), nullptr); }

TEST(Shapley, is_the_mean_over_all_orders) {
  for (std::size_t n = 1; n <= 7; ++n) {
    Game game = random_game(n, static_cast<std::uint32_t>(n));
    const Valuation valuation = value("shapley {}", game, n);
    expect_all_near(valuation.values, by_brute_force(game, n), 1e-12);
    EXPECT_TRUE(valuation.standard_errors.empty());
  }
}

TEST(Shapley, has_the_published_values_of_games) {
  Game glove([](const Coalition& c) { return c[0] && (c[1] || c[2]) ? 1.0 : 0.0; });
  expect_all_near(value("shapley {}", glove, 3).values, {2.0 / 3, 1.0 / 6, 1.0 / 6}, 1e-12);
  Game assembly = voting_game(51, {50, 49, 1});  // Shapley and Shubik, 1954
  expect_all_near(value("shapley {}", assembly, 3).values, {2.0 / 3, 1.0 / 6, 1.0 / 6}, 1e-12);
  Game apex = voting_game(4, {3, 2, 1, 1});
  expect_all_near(value("shapley {}", apex, 4).values, {0.5, 1.0 / 6, 1.0 / 6, 1.0 / 6}, 1e-12);
  // Airport game (Littlechild and Owen, 1973): phi_i = sum over k <= i of (c_k - c_(k-1)) / (n - k + 1), here with
  // c_k = k^2, for as many players as there may be.
  Game airport([](const Coalition& c) {
    for (std::size_t i = c.size(); i > 0; --i) {
      if (c[i - 1]) return static_cast<double>(i * i);
    }
    return 0.0;
  });
  Values expected;
  for (std::size_t k = 1; k <= 12; ++k) {
    const double before = expected.empty() ? 0.0 : expected.back();
    expected.push_back(before + static_cast<double>(2 * k - 1) / static_cast<double>(12 - k + 1));
  }
  expect_all_near(value("shapley {}", airport, 12).values, expected, 1e-9);
}

TEST(Shapley, keeps_the_axioms) {
  Game a = random_game(5, 1), b = random_game(5, 2);
  Game sum([&](const Coalition& c) { return a.of(std::span(&c, 1)).front() + b.of(std::span(&c, 1)).front(); });
  const Values of_a = value("shapley {}", a, 5).values, of_b = value("shapley {}", b, 5).values;
  Values added;
  for (std::size_t i = 0; i < 5; ++i) added.push_back(of_a[i] + of_b[i]);
  expect_all_near(value("shapley {}", sum, 5).values, added, 1e-12);  // additivity
  const Coalition everyone(5, true);
  EXPECT_NEAR(sum_of(of_a), a.of(std::span(&everyone, 1)).front(), 1e-12);  // efficiency
  Game with_null([&](const Coalition& c) {                                  // 4 adds nothing; 0 and 1 are alike
    return std::sqrt(static_cast<double>(c[0]) + static_cast<double>(c[1])) + 3.0 * (c[2] && c[3] ? 1.0 : 0.0);
  });
  const Values values = value("shapley {}", with_null, 5).values;
  EXPECT_NEAR(values[0], values[1], 1e-12);
  EXPECT_NEAR(values[4], 0.0, 1e-12);
}

TEST(Shapley, takes_no_more_updates_than_it_says) {
  EXPECT_EQ(rule_of("shapley {}")->needs().most_updates, 12U);
  Game game([](const Coalition&) { return 0.0; });
  EXPECT_THROW(value("shapley {}", game, 13), InputError);
}

/// A smooth game of 9 players, worth more together.
Game sampled_game() { return random_game(9, 33); }

const std::vector<std::string>& sampling() {
  static const std::vector<std::string> rules{
      "tmc_shapley { permutations: 200 tolerance: 0 }",
      "gtg_shapley { round_tolerance: 0 tolerance: 0 convergence: 0 max_permutations: 200 }",
      "kernel_shap { pairs: 150 }"};  // of 255
  return rules;
}

TEST(SampledShapley, lies_within_its_standard_errors_of_the_exact_value_and_sums_to_the_worth_of_all) {
  Game game = sampled_game();
  const Values exact = value("shapley {}", game, 9).values;
  for (const std::string& rule : sampling()) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      const Valuation found = value(rule, game, 9, seed);
      for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_GT(found.standard_errors[i], 0.0) << rule;
        EXPECT_NEAR(found.values[i], exact[i], 4.0 * found.standard_errors[i]) << rule << " " << i;
      }
      EXPECT_NEAR(sum_of(found.values), sum_of(exact), 1e-9) << rule;
    }
  }
}

TEST(SampledShapley, is_unbiased_and_its_standard_errors_are_the_spread_of_its_values) {
  Game game = sampled_game();
  const Values exact = value("shapley {}", game, 9).values;
  constexpr int runs = 300;
  for (const std::string& rule : sampling()) {
    Values sums(9, 0.0), squares(9, 0.0), claimed(9, 0.0);
    for (std::uint64_t seed = 1; seed <= runs; ++seed) {
      const Valuation found = value(rule, game, 9, seed);
      for (std::size_t i = 0; i < 9; ++i) {
        const double error = found.values[i] - exact[i];
        sums[i] += error / runs;
        squares[i] += error * error / runs;
        claimed[i] += found.standard_errors[i] * found.standard_errors[i] / runs;
      }
    }
    for (std::size_t i = 0; i < 9; ++i) {
      EXPECT_NEAR(sums[i], 0.0, 4.0 * std::sqrt(squares[i] / runs)) << rule << " " << i;
      EXPECT_GT(claimed[i] / squares[i], 0.7) << rule << " " << i;
      // Taking turns as the first lowers the variance.
      EXPECT_LT(claimed[i] / squares[i], rule.starts_with("gtg") ? 2.0 : 1.4) << rule << " " << i;
    }
  }
}

TEST(SampledShapley, cut_permutations_ask_less_and_still_sum_to_the_worth_of_all) {
  constexpr std::size_t n = 8;
  const auto two_are_enough = [](const Coalition& c) {
    return 0.5 * static_cast<double>(std::min<std::size_t>(2, size_of(c)));
  };
  for (const std::string rule : {"tmc_shapley { permutations: 64 }", "gtg_shapley {}"}) {
    Game game(two_are_enough);
    const Valuation valuation = value(rule, game, n);
    EXPECT_NEAR(sum_of(valuation.values), 1.0, 1e-12) << rule;
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(valuation.values[i], 1.0 / n, 4.0 * valuation.standard_errors[i]);
    for (const Coalition& coalition : game.seen)
      EXPECT_TRUE(size_of(coalition) <= 2 || size_of(coalition) == n) << rule;
  }
}

TEST(GtgShapley, skips_rounds_that_change_little) {
  Game game([](const Coalition& c) { return 0.002 * static_cast<double>(size_of(c)); });
  const Valuation valuation = value("gtg_shapley {}", game, 5);
  EXPECT_THAT(valuation.values, testing::Each(0.0));
  EXPECT_EQ(game.evaluations(), 1U);
}

TEST(GtgShapley, ends_when_its_values_have_settled_or_after_the_most_permutations) {
  Game additive([](const Coalition& c) { return static_cast<double>(size_of(c)); });
  expect_all_near(value("gtg_shapley {}", additive, 7).values, Values(7, 1.0), 1e-12);
  EXPECT_EQ(additive.calls, 1 + 5 * 7);  // more than 30 permutations: 5 turns of 7, advancing together
  Game restless = random_game(7, 4);
  value("gtg_shapley { convergence: 0 max_permutations: 20 }", restless, 7);
  EXPECT_EQ(restless.calls, 1 + 3 * 7);
  Game short_turn = random_game(7, 4);
  const Valuation two = value("gtg_shapley { max_permutations: 2 tolerance: 0 }", short_turn, 7);
  EXPECT_EQ(short_turn.calls, 1 + 7);
  const Coalition everyone(7, true);
  EXPECT_NEAR(sum_of(two.values), short_turn.of(std::span(&everyone, 1)).front(), 1e-12);
}

TEST(KernelShap, is_exact_where_every_pair_is_taken) {
  for (std::size_t n = 1; n <= 7; ++n) {  // 63 pairs at most
    Game game = random_game(n, 50 + static_cast<std::uint32_t>(n));
    const Valuation found = value("kernel_shap {}", game, n);
    expect_all_near(found.values, value("shapley {}", game, n).values, 1e-9);
    EXPECT_TRUE(found.standard_errors.empty());
  }
}

TEST(KernelShap, finds_an_additive_game_from_few_pairs_and_asks_for_as_many_as_there_are_updates) {
  Game additive([](const Coalition& c) {
    double sum = 0.0;
    for (std::size_t i = 0; i < c.size(); ++i) sum += c[i] ? static_cast<double>(i) : 0.0;
    return sum;
  });
  Values expected(20);
  std::iota(expected.begin(), expected.end(), 0.0);
  expect_all_near(value("kernel_shap { pairs: 60 }", additive, 20).values, expected, 1e-9);
  EXPECT_EQ(rule_of("kernel_shap { pairs: 19 }")->needs().most_updates, 19U);
  EXPECT_THROW(value("kernel_shap { pairs: 19 }", additive, 20), InputError);
}

TEST(LeaveOneOut, gives_duplicates_nothing) {
  Game game([](const Coalition& c) { return (c[0] || c[1] ? 1.0 : 0.0) + (c[2] ? 0.5 : 0.0) - (c[3] ? 0.25 : 0.0); });
  expect_all_near(value("loo {}", game, 4).values, {0.0, 0.0, 0.5, -0.25}, 1e-12);
  EXPECT_EQ(game.evaluations(), 5U);
  EXPECT_EQ(game.calls, 1);
}

TEST(Influence, is_the_worth_of_each_alone) {
  Game game = random_game(4, 9);
  const Values values = value("influence {}", game, 4).values;
  EXPECT_EQ(game.evaluations(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    Coalition alone(4, false);
    alone[i] = true;
    EXPECT_EQ(values[i], game.of(std::span(&alone, 1)).front());
  }
}

/// A valuation of some sellers' updates, by geometry alone.
Values value_rows(ValuationRule& rule, const Comm& comm, const Rows& rows, const std::vector<std::uint32_t>& who,
                  const Values& samples, const std::vector<float>& root = {}) {
  const TestMatrix matrix(comm, rows);
  std::vector<AgentId> sellers;
  for (const std::uint32_t id : who) sellers.push_back({id});
  const ColumnVector root_update = root.empty() ? ColumnVector(matrix.columns()) : ColumnVector(comm, root);
  Stream random(1, StreamKey{Purpose::valuation, nobody, {1}});
  return rule
      .value({.comm = comm,
              .round = {1},
              .random = random,
              .sellers = sellers,
              .samples = samples,
              .updates = matrix.columns(),
              .root_update = &root_update,
              .worth = nullptr})
      .values;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

TEST(CosineValue, is_the_cosine_with_the_buyers_own_update) {
  const Rows rows{{3, 4}, {-2, 0}, {0, 7}, {0, 0}};
  run_team(2, [&](const Comm& comm) {
    expect_all_near(value_rows(*rule_of("cosine {}"), comm, rows, {0, 1, 2, 3}, {1, 1, 1, 1}, {2, 0}),
                    {0.6, -1.0, 0.0, 0.0}, 1e-12);
    EXPECT_THAT(value_rows(*rule_of("cosine {}"), comm, rows, {0, 1, 2, 3}, {1, 1, 1, 1}, {0, 0}), testing::Each(0.0));
  });
  EXPECT_TRUE(rule_of("cosine {}")->needs().root_update);
}

/// Xu et al.'s reference code, with r by seller.
Values cgsv_by_hand(std::map<std::uint32_t, double>& known, const Rows& rows, const std::vector<std::uint32_t>& who,
                    const Values& samples) {
  Values weights;
  for (const std::uint32_t seller : who) weights.push_back(known[seller]);
  if (sum_of(weights) == 0.0) weights = samples;
  std::vector<double> sum(rows.front().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t c = 0; c < sum.size(); ++c) {
      sum[c] += weights[i] * static_cast<double>(rows[i][c]) / std::sqrt(dot(rows[i], rows[i]));
    }
  }
  Values values;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double product = 0.0, square = 0.0;
    for (std::size_t c = 0; c < sum.size(); ++c) {
      product += sum[c] * static_cast<double>(rows[i][c]);
      square += sum[c] * sum[c];
    }
    const double psi = product / std::sqrt(square * dot(rows[i], rows[i]));
    values.push_back(std::max(0.01, 0.8 * known[who[i]] + 0.2 * psi));
  }
  const double total = sum_of(values);
  for (std::size_t i = 0; i < rows.size(); ++i) known[who[i]] = values[i] /= total;
  return values;
}

TEST(Cgsv, follows_the_reference_code_over_rounds_and_across_a_checkpoint) {
  const Rows rows = random_rows(12, 40);
  const std::vector<std::vector<std::uint32_t>> who{{0, 1, 2, 3}, {1, 2, 3, 8}, {0, 3, 8, 9}};
  for (const int ranks : {1, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      auto rule = rule_of("cgsv { alpha: 0.8 floor: 0.01 }");
      std::map<std::uint32_t, double> known;
      for (std::size_t round = 0; round < who.size(); ++round) {
        const Rows own(rows.begin() + static_cast<std::ptrdiff_t>(4 * round),
                       rows.begin() + static_cast<std::ptrdiff_t>(4 * round + 4));
        const Values samples{10, 20, 30, 40};
        const Values values = value_rows(*rule, comm, own, who[round], samples);
        expect_all_near(values, cgsv_by_hand(known, own, who[round], samples), 1e-6);
        EXPECT_NEAR(sum_of(values), 1.0, 1e-12);
        SaveArchive saved;
        rule->serialize(saved);
        rule = rule_of("cgsv { alpha: 0.8 floor: 0.01 }");
        LoadArchive load(saved.bytes());
        rule->serialize(load);
      }
    });
  }
}

TEST(Cgsv, lowers_a_seller_that_turns_against_the_others) {
  const auto rule = rule_of("cgsv {}");
  Values values;
  for (int round = 0; round < 60; ++round) {
    values = value_rows(*rule, Comm::self(), {{1, 0.1F}, {1, -0.1F}, {-1, 0}}, {0, 1, 2}, {1, 1, 1});
  }
  EXPECT_LT(values[2], 0.01);
  EXPECT_GT(values[0], 0.4);
}

TEST(RobustVolume, of_numbers_is_the_closed_form) {
  // One dimension: a projection is a factor, which the scale of 1 takes away but for its sign. Cells are 0.5 wide; the
  // copies are 1.19 away from 0, the third -0.4.
  const Values values =
      value_rows(*rule_of("robust_volume { dimensions: 1 }"), Comm::self(), {{3}, {3}, {-1}}, {0, 1, 2}, {1, 1, 1});
  const double unit = 19.0 / 3.0;
  const auto rho = [](double alpha, int count) {
    double sum = 0.0;
    for (int p = 0; p <= count; ++p) sum += std::pow(alpha, p);
    return sum;
  };
  const double both = std::sqrt(1.0 + 9.0 / unit + 1.0 / unit);
  const double all = both * rho(0.05, 2) * rho(0.05, 1);
  const double without_copy = both * rho(0.05, 1) * rho(0.05, 1);
  const double without_third = std::sqrt(1.0 + 9.0 / unit) * rho(0.1, 2);
  expect_all_near(values, {all - without_copy, all - without_copy, all - without_third}, 1e-9);
}

TEST(RobustVolume, gives_copies_little_and_has_its_bits_on_any_number_of_ranks) {
  Rows rows = random_rows(6, 3000);
  rows.push_back(rows.back());
  Values first;
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const Values values = value_rows(*rule_of("robust_volume {}"), comm, rows, {0, 1, 2, 3, 4, 5, 6}, Values(7, 1.0));
      if (comm.rank() == 0 && ranks == 1) first = values;
      EXPECT_EQ(values, first) << ranks;
    });
  }
  EXPECT_EQ(first[5], first[6]);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_GT(first[i], 50.0 * first[5]) << i;
  EXPECT_GT(first[5], 0.0);
}

TEST(ReplicationPenalty, shrinks_copies_by_the_closed_form) {
  const Rows rows{{2, 0, 0}, {5, 0, 0}, {0, 1, 0}, {-1, 0, 0}, {3, 4, 0}};
  Valuation valuation{{1, 1, 1, 1, 1}, {0.5, 0.5, 0.5, 0.5, 0.5}};
  const TestMatrix matrix(Comm::self(), rows);
  penalise_replication(0.5, Comm::self(), matrix.columns(), valuation);
  const Values likeness{1.6, 1.6, 0.8, 0.0, 0.6 + 0.6 + 0.8};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_NEAR(valuation.values[i], std::exp(-0.5 * likeness[i]), 1e-6);
    EXPECT_NEAR(valuation.standard_errors[i], 0.5 * std::exp(-0.5 * likeness[i]), 1e-6);
  }
}

TEST(ReplicationPenalty, lets_copies_earn_no_more_together_than_one_alone) {
  constexpr std::size_t others = 3;
  double alone = 0.0;
  for (std::size_t copies = 1; copies <= 6; ++copies) {
    // Updates of worth 1, 2, …; the copies, behind them, count once.
    Game game([](const Coalition& c) {
      double sum = 0.0;
      for (std::size_t i = 0; i < others; ++i) sum += c[i] ? static_cast<double>(i + 1) : 0.0;
      for (std::size_t i = others; i < c.size(); ++i) {
        if (c[i]) return std::sqrt(sum + 4.0);
      }
      return std::sqrt(sum);
    });
    Rows rows(others + copies, std::vector<float>(others + 1));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i][std::min(i, others)] = 1.0F;
    Valuation valuation = value("shapley {}", game, rows.size());
    const TestMatrix matrix(Comm::self(), rows);
    penalise_replication(std::log(2.0), Comm::self(), matrix.columns(), valuation);
    const double together = std::accumulate(valuation.values.begin() + others, valuation.values.end(), 0.0);
    if (copies == 1) alone = together;
    EXPECT_LE(together, alone) << copies;
  }
}

}  // namespace
}  // namespace souk::valuation_test
