#include <cmath>

#include <gmock/gmock.h>

#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"
#include "tests/support/brute_force.hpp"

namespace souk::agr_tailored_test {
namespace {

using brute_force::Indices;
using brute_force::Vector;
using brute_force::Vectors;

constexpr std::size_t n = 20, m = 4, d = 30;

Indices lowest_krum_scores(const Vectors& rows, std::size_t count) {
  const Indices all = brute_force::everybody(rows.size());
  return brute_force::lowest(all, count, [&](std::size_t i) { return brute_force::krum_score(rows, all, i, m); });
}

Indices krum(const Vectors& rows) { return lowest_krum_scores(rows, 1); }
Indices multi_krum(const Vectors& rows) { return lowest_krum_scores(rows, rows.size() - m); }

Indices bulyan(const Vectors& rows) {
  Indices left = brute_force::everybody(rows.size()), selected;
  while (selected.size() < rows.size() - 2 * m) {
    const std::size_t winner =
        brute_force::lowest(left, 1, [&](std::size_t i) { return brute_force::krum_score(rows, left, i, m); }).front();
    selected.push_back(winner);
    std::erase(left, winner);
  }
  return selected;
}

Indices dnc(const Vectors& rows) {
  const Vector mean = brute_force::mean(rows);
  const Vector alike(rows.size(), 1.0 / static_cast<double>(rows.size()));
  const Vector top = brute_force::top_direction(brute_force::covariance(rows, alike)).vector;
  return brute_force::lowest(brute_force::everybody(rows.size()), rows.size() - m, [&](std::size_t i) {
    return std::pow(brute_force::dot(brute_force::minus(rows[i], mean), top), 2);
  });
}

Indices afa(const Vectors& rows) {
  Indices good = brute_force::everybody(rows.size());
  for (double xi = 2.0;; xi += 0.5) {
    const Vector mean = brute_force::mean(brute_force::some(rows, good));
    Vector cosines;
    for (const std::size_t i : good) {
      cosines.push_back(brute_force::dot(rows[i], mean) / brute_force::norm(rows[i]) / brute_force::norm(mean));
    }
    double average = 0.0, square = 0.0;
    for (const double cosine : cosines) average += cosine / static_cast<double>(good.size());
    for (const double cosine : cosines) square += std::pow(cosine - average, 2) / static_cast<double>(good.size());
    const double middle = brute_force::median(cosines), margin = xi * std::sqrt(square);
    Indices kept;
    for (std::size_t k = 0; k < good.size(); ++k) {
      if (average < middle ? cosines[k] >= middle - margin : cosines[k] <= middle + margin) kept.push_back(good[k]);
    }
    if (kept.size() == good.size()) return good;
    good = kept;
  }
}

struct Case {
  const char* rule;
  Indices (*select)(const Vectors&);
};

/// Honest updates with a common part, as a round has them.
Rows honest_updates(std::size_t rows = n, std::size_t columns = d) {
  Rows honest = random_rows(rows, columns);
  for (auto& row : honest) {
    for (std::size_t c = 0; c < columns; ++c) row[c] += 0.7F * static_cast<float>(static_cast<int>(c % 5) - 2);
  }
  return honest;
}

std::string group(const std::string& rule, const std::string& perturbation) {
  return "agr_tailored { rule: " + rule + " perturbation: " + perturbation + " }";
}

/// The round that the attacker imagines: those known, and behind them copies of mean + factor (submission - mean), one
/// to four.
Vectors imagined(const Rows& known, const std::vector<float>& submission, double factor) {
  Vectors rows = brute_force::of(known);
  const Vector mean = brute_force::mean(rows);
  Vector moved(submission.begin(), submission.end());
  for (std::size_t c = 0; c < moved.size(); ++c) moved[c] = mean[c] + factor * (moved[c] - mean[c]);
  for (std::size_t i = 0; i < known.size() / 4; ++i) rows.push_back(moved);
  return rows;
}

std::size_t copies_in(const Indices& selected, std::size_t known) {
  return static_cast<std::size_t>(std::ranges::count_if(selected, [&](std::size_t i) { return i >= known; }));
}

TEST(AgrTailored, is_selected_by_the_rule_and_would_not_be_any_further_away) {
  const Rows honest = honest_updates();
  const Rows benign(honest.begin() + m, honest.end());
  for (const Case& each : {Case{"KRUM", krum}, Case{"MULTI_KRUM", multi_krum}, Case{"BULYAN", bulyan}, Case{"DNC", dnc},
                           Case{"AFA", afa}}) {
    for (const char* perturbation : {"UNIT", "STD", "SIGN"}) {
      SCOPED_TRACE(group(each.rule, perturbation));
      const CraftedRows crafted = craft(group(each.rule, perturbation), {.honest = honest, .members = m});
      EXPECT_THAT(crafted.rows, testing::Each(crafted.rows.front()));
      const Indices inside = each.select(imagined(benign, crafted.rows.front(), 0.998));
      const Indices outside = each.select(imagined(benign, crafted.rows.front(), 1.002));
      EXPECT_EQ(copies_in(inside, benign.size()), std::min(m, inside.size()));
      EXPECT_LT(copies_in(outside, benign.size()), std::min(m, outside.size()));
      EXPECT_EQ(crafted.diagnostics.at("selected"), static_cast<double>(std::min(m, inside.size())));
      EXPECT_GT(crafted.diagnostics.at("gamma"), 0.0);
    }
  }
}

TEST(AgrTailored, finds_the_same_gamma_from_any_first_one) {
  const AttackRound world{.honest = honest_updates(), .members = m};
  const auto gamma = [&](const std::string& first) {
    return craft("agr_tailored { gamma: " + first + " }", world).diagnostics.at("gamma");
  };
  EXPECT_NEAR(gamma("1e-3"), gamma("10"), 3e-5 * gamma("10"));
  EXPECT_NEAR(gamma("1e4"), gamma("10"), 3e-5 * gamma("10"));
}

double trimmed_mean_of(const Vector& values) { return brute_force::trimmed_mean(values, values.size() / 5); }

double median_of(const Vector& values) { return brute_force::median(values); }

using ColumnRule = double (*)(const Vector&);

double shift_of(const Rows& known, const std::vector<float>& submission, double factor, ColumnRule rule) {
  const Vectors rows = imagined(known, submission, factor);
  return brute_force::distance(brute_force::by_column(rows, rule), brute_force::mean(brute_force::of(known)));
}

TEST(AgrTailored, moves_the_trimmed_mean_and_the_median_as_far_as_its_direction_can) {
  const Rows honest = honest_updates();
  // A round of 20 of whom all are known, and one that colluders imagine as their own four updates and one submission.
  for (const Knowledge level : {Knowledge::all, Knowledge::colluders}) {
    const bool all = level == Knowledge::all;
    const Rows known(all ? honest.begin() + m : honest.begin(), all ? honest.end() : honest.begin() + m);
    for (const bool median : {true, false}) {
      const ColumnRule rule = median ? median_of : trimmed_mean_of;
      for (const char* perturbation : {"UNIT", "STD", "SIGN"}) {
        SCOPED_TRACE(testing::Message() << all << median << perturbation);
        const CraftedRows crafted = craft(group(median ? "MEDIAN" : "TRIMMED_MEAN", perturbation),
                                          {.honest = honest, .members = m, .level = level});
        const std::vector<float>& row = crafted.rows.front();
        const double harm = shift_of(known, row, 1.0, rule);
        EXPECT_NEAR(crafted.diagnostics.at("distance"), harm, 1e-5 * harm);
        for (double factor = 1e-3; factor < 1e3; factor *= 1.1) {
          EXPECT_LE(shift_of(known, row, factor, rule), 1.00001 * harm) << factor;
        }
        EXPECT_LT(shift_of(known, row, 0.8, rule), (1.0 - 1e-9) * harm);
      }
    }
  }
}

TEST(AgrTailored, submits_the_mean_where_all_updates_are_equal) {
  for (const char* rule : {"KRUM", "BULYAN", "AFA", "DNC", "MEDIAN"}) {
    const Rows rows = craft(group(rule, "STD"), {.honest = Rows(8, {1, 2}), .members = 2}).rows;
    EXPECT_THAT(rows, testing::Each(testing::ElementsAre(1, 2))) << rule;
  }
}

TEST(AgrTailored, has_the_same_bits_on_any_number_of_ranks) {
  const AttackRound world{.honest = honest_updates(9, 20000), .members = 2};
  for (const char* rule : {"MULTI_KRUM", "BULYAN", "AFA", "DNC", "TRIMMED_MEAN"}) {
    const CraftedRows expected = craft(group(rule, "STD"), world);
    for (const int ranks : {2, 3, 7}) {
      run_team(ranks, [&](const Comm& comm) {
        const auto attack = std::move(make_update_attacks(attack_group(group(rule, "STD"))).front());
        const CraftedRows crafted = craft(comm, *attack, world);
        if (comm.rank() != 0) return;
        EXPECT_EQ(crafted.rows, expected.rows) << rule << ' ' << ranks;
        EXPECT_EQ(crafted.diagnostics, expected.diagnostics) << rule << ' ' << ranks;
      });
    }
  }
}

}  // namespace
}  // namespace souk::agr_tailored_test
