// Buyers that cheat: against closed forms and tables by hand, on several rank counts.
#include "attacks/buyer_attack.hpp"

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/matrices.hpp"

namespace souk::buyer_attack_test {
namespace {

constexpr std::size_t dimension = 3000;  // several panels

std::unique_ptr<BuyerAttack> attack(const std::string& text) {
  scenario::Misconduct config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return make_buyer_attack(config);
}

/// Five updates, of sellers 7, 3, 9, 1, 5.
const std::vector<AgentId> sellers{{7}, {3}, {9}, {1}, {5}};

Rows updates() { return random_rows(5, dimension); }

/// Nearest to the update of seller 9.
std::vector<float> honest() {
  const Rows rows = updates();
  std::vector<float> sum(dimension);
  for (std::size_t c = 0; c < dimension; ++c) sum[c] = 0.1F * rows[0][c] + 0.7F * rows[2][c] + 0.2F * rows[4][c];
  return sum;
}

/// The baseline in a round, the same on 1, 2 and 3 ranks.
std::vector<float> baseline(const std::string& text, std::uint32_t round = 1) {
  std::vector<float> first;
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const TestMatrix matrix(comm, updates());
      Stream random(5, StreamKey{Purpose::misconduct, nobody, {round}});
      const ColumnVector own(comm, honest());
      const ColumnVector made = attack(text)->baseline({.comm = comm,
                                                        .round = {round},
                                                        .random = random,
                                                        .honest = own,
                                                        .updates = matrix.columns(),
                                                        .sellers = sellers});
      const std::vector<float> values = whole(comm, matrix.columns(), made);
      if (comm.rank() != 0) return;
      if (ranks == 1) first = values;
      EXPECT_EQ(values, first) << text << " on " << ranks << " ranks";
    });
  }
  return first;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

double length(const std::vector<float>& a) { return std::sqrt(dot(a, a)); }

double cosine(const std::vector<float>& a, const std::vector<float>& b) { return dot(a, b) / (length(a) * length(b)); }

/// "0110": the classes shown.
std::string shown(const BuyerAttack& attack, std::uint32_t round, int classes, std::uint64_t seed = 1) {
  std::string text;
  for (const bool one : attack.shown_classes({round}, classes, seed)) text += one ? '1' : '0';
  return text;
}

TEST(BuyerAttack, none_chosen_is_the_users_error) { EXPECT_THROW(attack("from_round: 2"), InputError); }

TEST(BuyerAttack, dos_hands_over_zeros) {
  EXPECT_THAT(baseline("dos {}"), testing::Each(0.0F));
  EXPECT_EQ(shown(*attack("dos {}"), 1, 4), "");
}

TEST(BuyerAttack, erosion_is_as_long_as_the_honest_baseline_and_new_in_every_round) {
  const std::vector<float> one = baseline("erosion {}", 1), two = baseline("erosion {}", 2);
  EXPECT_NEAR(length(one) / length(honest()), 1.0, 1e-6);
  EXPECT_NEAR(length(two) / length(honest()), 1.0, 1e-6);
  EXPECT_LT(std::abs(cosine(one, two)), 0.1);  // 5 standard deviations of independent directions
  EXPECT_LT(std::abs(cosine(one, honest())), 0.1);
}

TEST(BuyerAttack, orthogonal_pivot_is_orthogonal_to_its_target_and_else_the_honest_baseline) {
  const Rows rows = updates();
  const std::vector<float> at_nearest = baseline("orthogonal_pivot {}"),
                           at_one = baseline("orthogonal_pivot { seller: 5 }");
  EXPECT_NEAR(cosine(at_nearest, rows[2]), 0.0, 1e-6);  // seller 9
  EXPECT_GT(cosine(honest(), rows[2]), 0.9);
  EXPECT_NEAR(cosine(at_one, rows[4]), 0.0, 1e-6);
  EXPECT_GT(cosine(at_one, honest()), 0.9);
  const double factor = dot(honest(), rows[4]) / dot(rows[4], rows[4]);
  for (std::size_t c = 0; c < dimension; c += 97) {
    EXPECT_NEAR(at_one[c], static_cast<double>(honest()[c]) - factor * static_cast<double>(rows[4][c]), 1e-6);
  }
  EXPECT_EQ(baseline("orthogonal_pivot { seller: 2 }"), honest());  // did not deliver
}

TEST(BuyerAttack, collusion_hands_over_the_accomplices_update_with_its_noise) {
  const std::vector<float> accomplice = updates()[3];
  const std::vector<float> made = baseline("collusion { seller: 1 noise: 0.2 }");
  std::vector<float> noise(dimension);
  for (std::size_t c = 0; c < dimension; ++c) noise[c] = made[c] - accomplice[c];
  EXPECT_NEAR(length(noise) / length(accomplice), 0.2, 0.02);  // about 8 standard deviations
  EXPECT_GT(cosine(baseline("collusion { seller: 1 }"), accomplice), 0.999);
  EXPECT_EQ(baseline("collusion { seller: 1 noise: 0 }"), accomplice);
  EXPECT_EQ(baseline("collusion { seller: 4 }"), honest());  // did not deliver
}

TEST(BuyerAttack, class_exclusion_scales_the_baseline_and_hides_classes) {
  const std::vector<float> made = baseline("class_exclusion { scale: 2 }");
  for (std::size_t c = 0; c < dimension; c += 97) EXPECT_EQ(made[c], 2.0F * honest()[c]);
  EXPECT_EQ(shown(*attack("class_exclusion {}"), 1, 5), "11100");
  EXPECT_EQ(shown(*attack("class_exclusion { exclude: [0, 3] }"), 9, 5), "01101");
  EXPECT_EQ(shown(*attack("class_exclusion { include: 2 }"), 9, 5), "00100");
  EXPECT_THROW(shown(*attack("class_exclusion { exclude: 5 }"), 1, 5), InputError);
  EXPECT_THROW(shown(*attack("class_exclusion { include: 5 }"), 1, 5), InputError);
  EXPECT_THROW(shown(*attack("class_exclusion { exclude: [0, 1] }"), 1, 2), InputError);
  EXPECT_THROW(attack("class_exclusion { exclude: 0 include: 1 }"), InputError);
}

TEST(BuyerAttack, starvation_keeps_the_first_half_or_the_classes_named) {
  EXPECT_EQ(shown(*attack("starvation {}"), 1, 10), "1111100000");
  EXPECT_EQ(shown(*attack("starvation {}"), 1, 7), "1111000");
  EXPECT_EQ(shown(*attack("starvation {}"), 1, 1), "1");
  EXPECT_EQ(shown(*attack("starvation { classes: [6, 2] }"), 1, 7), "0010001");
  EXPECT_THROW(shown(*attack("starvation { classes: 7 }"), 1, 7), InputError);
  EXPECT_EQ(baseline("starvation {}"), honest());
}

TEST(BuyerAttack, oscillating_follows_the_tables) {
  const auto table = [](const std::string& text, int classes, std::uint32_t rounds) {
    std::vector<std::string> rows;
    for (std::uint32_t r = 1; r <= rounds; ++r) rows.push_back(shown(*attack(text), r, classes));
    return rows;
  };
  EXPECT_THAT(table("oscillating { period: 2 }", 5, 6),
              testing::ElementsAre("11100", "11100", "00011", "00011", "11100", "11100"));
  EXPECT_THAT(table("oscillating { pattern: ROTATING period: 1 sets: 3 }", 7, 5),
              testing::ElementsAre("1110000", "0001100", "0000011", "1110000", "0001100"));
  EXPECT_THAT(table("oscillating { pattern: DRIFT period: 2 sets: 3 }", 3, 8),
              testing::ElementsAre("100", "100", "010", "010", "001", "001", "001", "001"));
  EXPECT_THROW(shown(*attack("oscillating { pattern: DRIFT sets: 4 }"), 1, 3), InputError);
}

TEST(BuyerAttack, oscillating_walks_by_one_set_within_its_range) {
  const auto walk = attack("oscillating { pattern: RANDOM_WALK period: 3 sets: 4 }");
  std::set<std::string> walks;
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    std::string places;
    for (std::uint32_t round = 1; round <= 150; ++round) {
      const std::string now = shown(*walk, round, 4, seed);
      ASSERT_EQ(now.find('1'), now.rfind('1'));
      places += static_cast<char>('0' + now.find('1'));
    }
    EXPECT_EQ(places.front(), '0');
    for (std::size_t r = 1; r < places.size(); ++r) {
      EXPECT_EQ(std::abs(places[r] - places[r - 1]), r % 3 == 0 ? 1 : 0) << places;
    }
    EXPECT_THAT(places, testing::AllOf(testing::HasSubstr("0"), testing::HasSubstr("3")));
    walks.insert(places);
  }
  EXPECT_EQ(walks.size(), 4U);  // the seed decides
}

TEST(BuyerAttack, underpay_denies_its_share_of_what_is_used_and_nothing_else) {
  const std::vector<double> weights{0.2, 0.0, 0.3, 0.1, 0.0, 0.4};
  const auto denied_by = [&](const std::string& text, std::uint32_t round) {
    Stream random(1, StreamKey{Purpose::misconduct, nobody, {round}});
    return attack(text)->denies(weights, random);
  };
  std::set<std::vector<bool>> seen;
  for (std::uint32_t round = 1; round <= 200; ++round) {
    const std::vector<bool> half = denied_by("underpay {}", round);
    EXPECT_EQ(std::count(half.begin(), half.end(), true), 2);
    EXPECT_FALSE(half[1] || half[4]);
    seen.insert(half);
    const std::vector<bool> least = denied_by("underpay { share: 0.01 }", round);
    EXPECT_EQ(std::count(least.begin(), least.end(), true), 1);
  }
  EXPECT_EQ(seen.size(), 6U);  // every choice of 2 of 4
  EXPECT_THAT(denied_by("underpay { share: 1 }", 1), testing::ElementsAre(true, false, true, true, false, true));
  Stream random(1, StreamKey{Purpose::misconduct, nobody, {}});
  EXPECT_THAT(attack("underpay {}")->denies(std::vector<double>{0.0, 0.0}, random), testing::Each(false));
  EXPECT_THAT(attack("dos {}")->denies(weights, random), testing::Each(false));
}

}  // namespace
}  // namespace souk::buyer_attack_test
