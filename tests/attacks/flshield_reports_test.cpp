#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>

#include "tests/support/attack_world.hpp"

namespace souk::flshield_reports_test {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Reports of a round of validation, [validators, proposals, classes], some of them by members of the group.
struct Reports {
  std::size_t proposals, classes;
  std::vector<double> values;
  std::vector<std::size_t> members;  ///< rows
  std::vector<std::uint8_t> ours;    ///< [proposals]

  std::size_t width() const { return proposals * classes; }
  std::size_t validators() const { return values.size() / width(); }
  double& at(std::size_t v, std::size_t x, std::size_t c) { return values[v * width() + x * classes + c]; }
  bool is_member(std::size_t v) const { return std::ranges::count(members, v) > 0; }
  std::vector<double> of(std::size_t v) const {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(v * width());
    return {first, first + static_cast<std::ptrdiff_t>(width())};
  }

  /// The attack's reports in the place of the members' honest ones.
  Reports attacked(const std::string& group) const {
    const auto attack = make_report_attack(attack_group(group));
    EXPECT_EQ(attack->least(), Knowledge::all);
    std::vector<AgentId> everyone, names;
    for (std::uint32_t v = 0; v < validators(); ++v) everyone.push_back({10 + v});
    std::vector<double> own;
    for (const std::size_t v : members) {
      names.push_back(everyone[v]);
      const std::vector<double> row = of(v);
      own.insert(own.end(), row.begin(), row.end());
    }
    ReportAccess access;
    std::get<0>(access.grants).emplace(OwnReports{names, proposals, classes, own, ours});
    std::get<1>(access.grants).emplace(AllReports{values, everyone, members});
    Stream random(1, StreamKey{Purpose::update_attack, names.front(), {1}});
    attack->report_from(access, random);
    Reports after = *this;
    for (std::size_t m = 0; m < members.size(); ++m) {
      std::copy_n(own.begin() + static_cast<std::ptrdiff_t>(m * width()), width(),
                  after.values.begin() + static_cast<std::ptrdiff_t>(members[m] * width()));
    }
    return after;
  }

  /// Mean of those who judge, benign or all.
  double mean(std::size_t x, std::size_t c, bool benign_only = false) {
    double sum = 0.0, count = 0.0;
    for (std::size_t v = 0; v < validators(); ++v) {
      if (std::isnan(at(v, x, c)) || (benign_only && is_member(v))) continue;
      sum += at(v, x, c);
      count += 1.0;
    }
    return sum / count;
  }
  std::size_t limiting_class(std::size_t x) {
    std::size_t least = classes;
    for (std::size_t c = 0; c < classes; ++c) {
      if (!std::isnan(mean(x, c)) && (least == classes || mean(x, c) < mean(x, least))) least = c;
    }
    return least;
  }
  double score(std::size_t x) { return mean(x, limiting_class(x)); }

  /// What FA-Adp maximises, term by term.
  double objective(double lambda1, double lambda2) {
    double value = 0.0;
    for (std::size_t x = 0; x < proposals; ++x) value += (ours[x] != 0 ? 1.0 : -lambda1) * score(x);
    for (const std::size_t v : members) {
      double square = 0.0;
      for (std::size_t x = 0; x < proposals; ++x) {
        for (std::size_t c = 0; c < classes; ++c) {
          const double gap = at(v, x, c) - mean(x, c, true);
          if (!std::isnan(gap)) square += gap * gap;
        }
      }
      value -= lambda2 * std::sqrt(square);
    }
    return value;
  }
};

/// Normal reports; every member and every benign validator but the first leaves out one class.
Reports random_reports(std::size_t validators, std::size_t members, std::uint64_t seed, bool with_gaps = true) {
  Reports reports{.proposals = 6, .classes = 4, .values = {}, .members = {}, .ours = {1, 0, 0, 1, 0, 1}};
  Stream random(seed, StreamKey{Purpose::update_attack, {0}, {0}});
  for (std::size_t k = 0; k < validators * 24; ++k) reports.values.push_back(random.normal());
  for (std::size_t m = 0; m < members; ++m) reports.members.push_back(1 + 2 * m);
  for (std::size_t v = 1; v < validators && with_gaps; ++v) {
    for (std::size_t x = 0; x < 6; ++x) reports.at(v, x, v % 4) = nan;
  }
  return reports;
}

/// Equal, NaN to NaN.
void expect_same(double a, double b) {
  if (std::isnan(a)) {
    EXPECT_TRUE(std::isnan(b));
  } else {
    EXPECT_EQ(a, b);
  }
}

void expect_gaps_kept(const Reports& before, const Reports& after) {
  for (std::size_t k = 0; k < before.values.size(); ++k) {
    EXPECT_EQ(std::isnan(before.values[k]), std::isnan(after.values[k])) << k;
  }
}

TEST(FlShieldAdaptive, takes_its_first_step_along_the_gradient) {
  constexpr double lambda1 = 0.7, lambda2 = 0.3, rate = 1e-7, shift = 1e-6;
  Reports honest = random_reports(7, 3, 5);
  Reports moved = honest.attacked("flshield_fa_adp { lambda1: 0.7 lambda2: 0.3 steps: 1 rate: 1e-7 }");
  double largest = 0.0;
  for (std::size_t v = 0; v < 7; ++v) {
    for (const double report : honest.of(v)) {
      if (!honest.is_member(v) && !std::isnan(report)) largest = std::max(largest, std::abs(report));
    }
  }
  for (const std::size_t v : honest.members) {
    for (std::size_t k = v * 24; k < (v + 1) * 24; ++k) {
      if (std::isnan(honest.values[k])) continue;
      Reports up = honest, down = honest;
      up.values[k] += shift;
      down.values[k] -= shift;
      const double slope = (up.objective(lambda1, lambda2) - down.objective(lambda1, lambda2)) / (2 * shift);
      EXPECT_NEAR((moved.values[k] - honest.values[k]) / (rate * largest), slope, 1e-6) << k;
    }
  }
  expect_gaps_kept(honest, moved);
}

TEST(FlShieldAdaptive, finds_the_best_reports_where_a_search_can_find_them) {
  // One benign validator, one member, one proposal of the group, two classes: concave, with its maximum at neither the
  // honest nor the benign report.
  const Reports honest{.proposals = 1, .classes = 2, .values = {0, 1, -1, 2}, .members = {1}, .ours = {1}};
  Reports found = honest.attacked("flshield_fa_adp { lambda2: 0.4 steps: 100000 rate: 0.001 }");
  Reports trial = honest;
  double best = -1e9;
  for (int i = -200; i <= 600; ++i) {
    for (int j = -200; j <= 600; ++j) {
      trial.at(1, 0, 0) = i * 0.01;
      trial.at(1, 0, 1) = j * 0.01;
      best = std::max(best, trial.objective(1, 0.4));
    }
  }
  EXPECT_NEAR(found.objective(1, 0.4), best, 0.01);
  EXPECT_LT(Reports(honest).objective(1, 0.4), best - 0.5);
}

TEST(FlShieldAdaptive, reports_the_benign_mean_where_no_distance_is_worth_its_price) {
  Reports honest = random_reports(6, 2, 3, false);
  Reports found = honest.attacked("flshield_fa_adp { lambda2: 1 steps: 4000 rate: 0.001 }");
  for (const std::size_t v : honest.members) {
    for (std::size_t x = 0; x < 6; ++x) {
      for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(found.at(v, x, c), honest.mean(x, c, true), 0.01);
    }
  }
}

TEST(FlShieldAdaptive, lifts_proposals_of_the_group_and_sinks_the_others) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Reports honest = random_reports(10, 4, seed);
    Reports after = honest.attacked("flshield_fa_adp {}");
    EXPECT_GT(after.objective(1, 0.05), honest.objective(1, 0.05) + 0.5);
    double lifted = 0.0, sunk = 0.0;
    for (std::size_t x = 0; x < 6; ++x) (honest.ours[x] != 0 ? lifted : sunk) += after.score(x) - honest.score(x);
    EXPECT_GT(lifted, 0.5);
    EXPECT_LT(sunk, -0.5);
    expect_gaps_kept(honest, after);
  }
}

TEST(FlShieldAdaptive, never_reports_worse_than_honestly) {
  // Steps far too long for this objective.
  Reports honest = random_reports(6, 2, 4);
  Reports after = honest.attacked("flshield_fa_adp { lambda2: 3 steps: 50 rate: 10 }");
  EXPECT_GE(after.objective(1, 3), honest.objective(1, 3));
}

TEST(FlShieldAdaptive, is_not_upset_by_a_ruined_model) {
  Reports honest = random_reports(6, 2, 4);
  for (std::size_t v = 0; v < 6; ++v) {
    for (std::size_t c = 0; c < 4; ++c) {
      if (!std::isnan(honest.at(v, 0, c))) honest.at(v, 0, c) = -std::numeric_limits<double>::max();
    }
  }
  Reports after = honest.attacked("flshield_fa_adp { rate: 0.0001 }");
  for (const std::size_t v : honest.members) {
    for (const double report : after.of(v)) EXPECT_FALSE(std::isinf(report) || std::abs(report) > 200) << report;
  }
  expect_gaps_kept(honest, after);
}

TEST(FlShieldAdvanced, changes_places_as_computed_by_hand) {
  // Two benign validators and a member. Scores 2 (class 1), -2 (class 0), 0.5 (class 0), -1 (class 1): proposals 0 and
  // 2, both benign, are accepted. 0 and 1 change places, and 2 and 3.
  const Reports honest{.proposals = 4,
                       .classes = 2,
                       .values = {3, 1, -3, 1, 0.5, 6, 0, -1,  //
                                  3, 2, -3, 1, 0.5, 6, 0, -1,  //
                                  3, 3, 0,  1, 0.5, 6, 0, -1},
                       .members = {2},
                       .ours = {0, 1, 0, 1}};
  const Reports after = honest.attacked("flshield_fa_adv {}");
  EXPECT_THAT(after.of(2), testing::ElementsAre(3, -9, 12, 1, -4, 6, 0, 3.5));
}

TEST(FlShieldAdvanced, counts_the_larger_half_of_an_odd_number_as_accepted) {
  // Scores 2 of the group, 1 and -3 of the group: two are accepted, so that 1 is the best accepted benign one and
  // changes places with -3: (1 - 7) / 2 = -3, (-3 + 5) / 2 = 1.
  const Reports honest{.proposals = 3, .classes = 1, .values = {2, 1, -3, 2, 1, -3}, .members = {1}, .ours = {1, 0, 1}};
  EXPECT_THAT(honest.attacked("flshield_fa_adv {}").of(1), testing::ElementsAre(2, -7, 5));
}

TEST(FlShieldAdvanced, shares_what_is_missing_among_the_members_who_judge) {
  // Of two members one does not judge class 0 of proposal 0, nor does a benign validator of three.
  // Scores: 4 (of 3, 5 and 4), and -1. The member must make 3 + 5 + r = 3 * -1; both make -4 + 2 r = 5 * 4 of
  // proposal 1.
  const Reports honest{.proposals = 2,
                       .classes = 1,
                       .values = {3, -1, nan, -1, 5, -2, 4, 0, nan, -1},
                       .members = {3, 4},
                       .ours = {0, 1}};
  const Reports after = honest.attacked("flshield_fa_adv {}");
  EXPECT_THAT(after.of(3), testing::ElementsAre(-11, 12));
  EXPECT_THAT(after.of(4), testing::ElementsAre(testing::IsNan(), 12));
}

TEST(FlShieldAdvanced, gives_the_best_and_the_worst_each_others_scores_and_leaves_the_rest) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Reports honest = random_reports(8, 3, seed);
    Reports after = honest.attacked("flshield_fa_adv {}");
    std::vector<std::size_t> ranking(6);
    std::iota(ranking.begin(), ranking.end(), std::size_t{0});
    std::ranges::sort(ranking, [&](std::size_t x, std::size_t y) { return honest.score(x) > honest.score(y); });
    // The k-th best accepted benign proposal and the k-th worst rejected one of the group.
    std::vector<std::size_t> partner(6, 6), high, low;
    for (std::size_t r = 0; r < 6; ++r) {
      if (r < 3 && honest.ours[ranking[r]] == 0) high.push_back(ranking[r]);
      if (5 - r >= 3 && honest.ours[ranking[5 - r]] != 0) low.push_back(ranking[5 - r]);
    }
    for (std::size_t k = 0; k < std::min(high.size(), low.size()); ++k) {
      partner[high[k]] = low[k];
      partner[low[k]] = high[k];
    }
    for (std::size_t x = 0; x < 6; ++x) {
      const std::size_t limiting = honest.limiting_class(x);
      for (std::size_t c = 0; c < 4; ++c) {
        if (partner[x] < 6 && c == limiting) {
          EXPECT_NEAR(after.mean(x, c), honest.score(partner[x]), 1e-12) << seed;
        } else {
          for (const std::size_t v : honest.members) expect_same(honest.at(v, x, c), after.at(v, x, c));
        }
      }
    }
    for (std::size_t v = 0; v < 8; ++v) {
      for (std::size_t k = 0; k < 24 && !honest.is_member(v); ++k) expect_same(honest.of(v)[k], after.of(v)[k]);
    }
    expect_gaps_kept(honest, after);
  }
}

TEST(FlShieldAdvanced, leaves_classes_alone_that_no_member_judges) {
  const Reports honest{.proposals = 2, .classes = 1, .values = {3, -1, nan, -1}, .members = {1}, .ours = {0, 1}};
  const Reports after = honest.attacked("flshield_fa_adv {}");
  EXPECT_THAT(after.of(1), testing::ElementsAre(testing::IsNan(), 7));
}

}  // namespace
}  // namespace souk::flshield_reports_test
