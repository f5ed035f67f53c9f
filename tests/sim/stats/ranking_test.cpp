// Rankings against counts over all pairs, and against values computed by hand.
#include "sim/stats/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/random.hpp"

namespace souk::ranking_test {
namespace {

using Scores = std::vector<double>;
using Truth = std::vector<std::uint8_t>;
using testing::DoubleNear;
using testing::Optional;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double unknown = std::nan("");

/// Scores of few distinct values, so that many are equal; some unknown.
struct Drawn {
  Scores scores;
  Truth truth;
};

Drawn drawn(std::uint32_t trial) {
  Stream random(trial, StreamKey{Purpose::bootstrap, nobody, {}});
  Drawn result;
  const std::uint32_t count = 2 + random.below(60), values = 1 + random.below(20);
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool positive = random.below(3) == 0;
    result.scores.push_back(random.below(10) == 0 ? unknown : random.below(values) + (positive ? 1.0 : 0.0));
    result.truth.push_back(positive ? 1 : 0);
  }
  return result;
}

std::optional<double> area_over_all_pairs(const Drawn& of) {
  double won = 0.0, pairs = 0.0;
  const auto key = [&](std::size_t i) { return std::isnan(of.scores[i]) ? -infinity : of.scores[i]; };
  for (std::size_t i = 0; i < of.scores.size(); ++i) {
    for (std::size_t j = 0; j < of.scores.size(); ++j) {
      if (of.truth[i] == 0 || of.truth[j] != 0) continue;
      pairs += 1.0;
      won += key(i) > key(j) ? 1.0 : key(i) == key(j) ? 0.5 : 0.0;
    }
  }
  return pairs > 0.0 ? std::optional(won / pairs) : std::nullopt;
}

/// At every distinct score: of what is at least as high, what share of the positives and of the negatives.
struct Rates {
  double recall, false_positives, precision;
};

std::vector<Rates> rates_by_definition(const Drawn& of) {
  Scores keys = of.scores;
  for (double& key : keys) key = std::isnan(key) ? -infinity : key;
  Scores thresholds = keys;
  std::ranges::sort(thresholds, std::greater<>());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  const auto positives = static_cast<double>(std::ranges::count(of.truth, 1));
  std::vector<Rates> rates;
  for (const double threshold : thresholds) {
    double true_ones = 0.0, taken = 0.0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i] < threshold) continue;
      taken += 1.0;
      true_ones += of.truth[i];
    }
    rates.push_back({true_ones / positives, (taken - true_ones) / (static_cast<double>(keys.size()) - positives),
                     true_ones / taken});
  }
  return rates;
}

bool has_both(const Drawn& of) { return std::ranges::count(of.truth, 1) > 0 && std::ranges::count(of.truth, 0) > 0; }

TEST(Ranking, has_the_area_that_counting_all_pairs_gives) {
  for (std::uint32_t trial = 0; trial < 300; ++trial) {
    const Drawn of = drawn(trial);
    const std::optional<double> area = area_under_roc(of.scores, of.truth), counted = area_over_all_pairs(of);
    ASSERT_EQ(area.has_value(), counted.has_value());
    EXPECT_NEAR(area.value_or(0.0), counted.value_or(0.0), 1e-14);
  }
}

TEST(Ranking, has_its_published_examples) {
  // scikit-learn's examples of roc_auc_score and average_precision_score.
  const Scores scores{0.1, 0.4, 0.35, 0.8};
  const Truth truth{0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(*area_under_roc(scores, truth), 0.75);
  EXPECT_DOUBLE_EQ(*average_precision(scores, truth), 5.0 / 6.0);
  // Two of three at the highest score, one more positive at the next: 2/3 * 2/3 + 1/3 * 3/4.
  EXPECT_DOUBLE_EQ(*average_precision(Scores{2, 2, 2, 1, 0}, Truth{1, 0, 1, 1, 0}), 4.0 / 9.0 + 0.25);
  EXPECT_DOUBLE_EQ(*area_under_roc(Scores{2, 2, 2, 1, 0}, Truth{1, 0, 1, 1, 0}), 4.0 / 6.0);
}

TEST(Ranking, of_equal_scores_tells_nothing) {
  const Scores scores(10, 0.25);
  const Truth truth{1, 0, 0, 0, 1, 0, 0, 0, 0, 0};
  EXPECT_EQ(area_under_roc(scores, truth), 0.5);
  EXPECT_EQ(average_precision(scores, truth), 0.2);
  EXPECT_EQ(true_positive_rate_at(scores, truth, 0.5), 0.0);
  EXPECT_EQ(true_positive_rate_at(scores, truth, 1.0), 1.0);
  EXPECT_EQ(area_under_roc(Scores(10, unknown), truth), 0.5);
  EXPECT_EQ(area_under_roc(Scores{0.0, -0.0}, Truth{0, 1}), 0.5);
}

TEST(Ranking, takes_unknown_scores_for_the_lowest) {
  const Truth truth{1, 0, 1, 0};
  EXPECT_EQ(area_under_roc(Scores{3, unknown, 1, 2}, truth), area_under_roc(Scores{3, -1e300, 1, 2}, truth));
  EXPECT_EQ(area_under_roc(Scores{unknown, -infinity, 1, 2}, truth), 1.5 / 4.0);  // two that are equally low
  EXPECT_EQ(area_under_roc(Scores{infinity, 5, infinity, 2}, truth), 1.0);
}

TEST(Ranking, of_one_kind_alone_is_undefined) {
  const Scores scores{1, 2};
  for (const Truth& truth : {Truth{1, 1}, Truth{0, 0}}) {
    EXPECT_FALSE(area_under_roc(scores, truth));
    EXPECT_FALSE(true_positive_rate_at(scores, truth, 0.5));
    EXPECT_TRUE(roc_curve(scores, truth, 10).empty());
    EXPECT_TRUE(precision_recall_curve(scores, truth, 10).empty());
  }
  EXPECT_FALSE(area_under_roc(Scores{}, Truth{}));
  EXPECT_FALSE(average_precision(scores, Truth{0, 0}));
  EXPECT_EQ(average_precision(scores, Truth{1, 1}), 1.0);
  EXPECT_FALSE(at_k(scores, Truth{0, 0}, 1).recall);
  EXPECT_FALSE(at_k(scores, Truth{1, 0}, 0).precision);
  EXPECT_FALSE(at_k(scores, Truth{0, 0}, 0).f1);
  EXPECT_EQ(at_k(scores, Truth{0, 0}, 1).f1, 0.0);
}

TEST(Ranking, has_thresholds_that_take_equal_scores_whole) {
  //                  taken at 5: 2 of 3 positives, 1 of 100 negatives
  Scores scores{5, 5, 4, 5};
  Truth truth{1, 1, 1, 0};
  for (int i = 0; i < 99; ++i) {
    scores.push_back(4.0 - i);
    truth.push_back(0);
  }
  EXPECT_EQ(true_positive_rate_at(scores, truth, 0.0), 0.0);
  EXPECT_EQ(true_positive_rate_at(scores, truth, 0.009), 0.0);
  EXPECT_EQ(true_positive_rate_at(scores, truth, 0.01), 2.0 / 3.0);  // 1 of 100 is not more than 0.01
  EXPECT_EQ(true_positive_rate_at(scores, truth, 0.019), 2.0 / 3.0);
  EXPECT_EQ(true_positive_rate_at(scores, truth, 0.02), 1.0);
}

TEST(Ranking, agrees_with_the_definitions_at_every_threshold) {
  for (std::uint32_t trial = 0; trial < 300; ++trial) {
    const Drawn of = drawn(trial);
    if (!has_both(of)) continue;
    const std::vector<Rates> rates = rates_by_definition(of);
    double precision = 0.0, recall = 0.0, best = 0.0;
    for (const Rates& rate : rates) {
      precision += (rate.recall - recall) * rate.precision;
      recall = rate.recall;
      if (rate.false_positives <= 0.25) best = std::max(best, rate.recall);
    }
    EXPECT_THAT(average_precision(of.scores, of.truth), Optional(DoubleNear(precision, 1e-13)));
    EXPECT_THAT(true_positive_rate_at(of.scores, of.truth, 0.25), Optional(best));

    const std::vector<CurvePoint> curve = roc_curve(of.scores, of.truth, 100);
    const std::vector<CurvePoint> other = precision_recall_curve(of.scores, of.truth, 100);
    ASSERT_EQ(curve.size(), rates.size() + 1);
    ASSERT_EQ(other.size(), rates.size());
    EXPECT_EQ(curve[0].x + curve[0].y, 0.0);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      EXPECT_EQ(curve[i + 1].x, rates[i].false_positives);
      EXPECT_EQ(curve[i + 1].y, rates[i].recall);
      EXPECT_EQ(other[i].x, rates[i].recall);
      EXPECT_EQ(other[i].y, rates[i].precision);
    }
  }
}

TEST(Ranking, takes_the_first_k_in_order) {
  const Scores scores{1, 3, 2, unknown, 3};
  const Truth truth{1, 0, 1, 0, 1};
  EXPECT_THAT(Ranking(scores, truth).order(), testing::ElementsAre(1, 4, 2, 0, 3));
  EXPECT_EQ(at_k(scores, truth, 1).precision, 0.0);  // of the two 3s the one that stands first
  EXPECT_EQ(at_k(scores, truth, 3).precision, 2.0 / 3.0);
  EXPECT_EQ(at_k(scores, truth, 3).recall, 2.0 / 3.0);
  EXPECT_EQ(at_k(scores, truth, 2).f1, 2.0 / 5.0);
  EXPECT_EQ(at_k(scores, truth, 99).precision, 3.0 / 5.0);
  EXPECT_EQ(at_k(scores, truth, 99).recall, 1.0);
}

TEST(Ranking, shares_equal_scores_as_a_random_order_would_on_average) {
  const Scores scores{2, 2, 2, 2, 1, 0};
  Truth truth{1, 1, 0, 0, 1, 0};
  EXPECT_EQ(at_k(scores, truth, 2).precision, 1.0);  // positives stand first
  EXPECT_EQ(at_k(scores, truth, 2, Ties::shared).precision, 0.5);
  EXPECT_EQ(at_k(scores, truth, 3, Ties::shared).recall, 0.5);
  EXPECT_EQ(at_k(scores, truth, 5, Ties::shared).recall, 1.0);
  EXPECT_EQ(at_k(scores, truth, 5).recall, 1.0);

  // Over all orders of the four equal ones.
  std::vector<std::uint8_t> first{0, 0, 1, 1};
  for (const std::size_t k : {1U, 2U, 3U, 4U}) {
    double sum = 0.0, orders = 0.0;
    do {
      std::ranges::copy(first, truth.begin());
      sum += *at_k(scores, truth, k).f1;
      orders += 1.0;
    } while (std::ranges::next_permutation(first).found);
    EXPECT_NEAR(*at_k(scores, truth, k, Ties::shared).f1, sum / orders, 1e-15);
  }
}

TEST(Ranking, does_not_depend_on_the_order_of_what_is_ranked) {
  for (std::uint32_t trial = 0; trial < 100; ++trial) {
    const Drawn of = drawn(trial);
    if (!has_both(of)) continue;
    std::vector<std::uint32_t> order(of.scores.size());
    std::iota(order.begin(), order.end(), 0U);
    Stream random(trial, StreamKey{Purpose::bootstrap, nobody, {1}});
    random.shuffle(order);
    Drawn other;
    for (const std::uint32_t i : order) {
      other.scores.push_back(of.scores[i]);
      other.truth.push_back(of.truth[i]);
    }
    EXPECT_EQ(area_under_roc(of.scores, of.truth), area_under_roc(other.scores, other.truth));
    EXPECT_EQ(average_precision(of.scores, of.truth), average_precision(other.scores, other.truth));
    EXPECT_EQ(true_positive_rate_at(of.scores, of.truth, 0.1), true_positive_rate_at(other.scores, other.truth, 0.1));
    const std::size_t k = of.scores.size() / 3;
    EXPECT_EQ(at_k(of.scores, of.truth, k, Ties::shared).f1, at_k(other.scores, other.truth, k, Ties::shared).f1);
    const Ranking one(of.scores, of.truth), two(other.scores, other.truth);
    const auto same = [](const CurvePoint& a, const CurvePoint& b) { return a.x == b.x && a.y == b.y; };
    EXPECT_TRUE(std::ranges::equal(one.roc_curve(5), two.roc_curve(5), same));
    EXPECT_TRUE(std::ranges::equal(one.precision_recall_curve(5), two.precision_recall_curve(5), same));
  }
}

TEST(Ranking, counts_what_was_drawn_several_times_as_if_it_stood_there_several_times) {
  for (std::uint32_t trial = 0; trial < 100; ++trial) {
    const Drawn of = drawn(trial);
    Stream random(trial, StreamKey{Purpose::bootstrap, nobody, {2}});
    std::vector<std::uint32_t> counts(of.scores.size());
    Drawn repeated;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      counts[i] = random.below(4);
      repeated.scores.insert(repeated.scores.end(), counts[i], of.scores[i]);
      repeated.truth.insert(repeated.truth.end(), counts[i], of.truth[i]);
    }
    const Ranking ranking(of.scores, of.truth);
    EXPECT_EQ(ranking.area_under_roc(counts), area_under_roc(repeated.scores, repeated.truth));
    const auto precision = ranking.average_precision(counts);
    const auto expected = average_precision(repeated.scores, repeated.truth);
    ASSERT_EQ(precision.has_value(), expected.has_value());
    EXPECT_NEAR(precision.value_or(0.0), expected.value_or(0.0), 1e-14);
    EXPECT_EQ(ranking.true_positive_rate_at(0.2, counts), true_positive_rate_at(repeated.scores, repeated.truth, 0.2));
  }
}

TEST(Ranking, thins_curves_and_keeps_their_ends) {
  Stream random(1, StreamKey{Purpose::bootstrap, nobody, {}});
  Drawn of;
  for (int i = 0; i < 5000; ++i) {
    of.truth.push_back(random.below(10) == 0 ? 1 : 0);
    of.scores.push_back(random.normal() + of.truth.back());
  }
  const std::vector<CurvePoint> whole = roc_curve(of.scores, of.truth, 10000);
  const std::vector<CurvePoint> curve = roc_curve(of.scores, of.truth, 200);
  EXPECT_LE(curve.size(), 200U);
  EXPECT_GE(curve.size(), 190U);
  EXPECT_EQ(curve.front().x + curve.front().y, 0.0);
  EXPECT_EQ(curve.back().x + curve.back().y, 2.0);
  double area = 0.0, longest = 0.0;
  for (std::size_t i = 1; i < curve.size(); ++i) {
    area += (curve[i].x - curve[i - 1].x) * 0.5 * (curve[i].y + curve[i - 1].y);
    longest = std::max(longest, curve[i].x - curve[i - 1].x + curve[i].y - curve[i - 1].y);
    EXPECT_TRUE(
        std::ranges::any_of(whole, [&](const CurvePoint& p) { return p.x == curve[i].x && p.y == curve[i].y; }));
  }
  EXPECT_NEAR(area, *area_under_roc(of.scores, of.truth), 0.005);
  EXPECT_LT(longest, 0.025);  // steps are 2/199 long, and some thresholds lie a little beyond one

  const std::vector<CurvePoint> other = precision_recall_curve(of.scores, of.truth, 50);
  const std::vector<CurvePoint> all = precision_recall_curve(of.scores, of.truth, 10000);
  EXPECT_LE(other.size(), 50U);
  EXPECT_EQ(other.front().y, all.front().y);
  EXPECT_EQ(other.back().x, 1.0);
  EXPECT_EQ(roc_curve(of.scores, of.truth, 2).size(), 2U);
}

}  // namespace
}  // namespace souk::ranking_test
