#include "agents/privacy/clip_bound.hpp"

#include <array>
#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "agents/privacy/update_noise.hpp"
#include "scenarios/privacy.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/streams.hpp"
#include "sim/comm/thread_team.hpp"

namespace souk::clip_bound_test {
namespace {

scenario::Privacy config_of(const std::string& text) {
  scenario::Privacy config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
  return config;
}

Stream draws(std::uint32_t round) { return {11, streams::noise_of_count({round})}; }

TEST(ClipBound, fixed_stays) {
  const scenario::Privacy config = config_of("fixed { bound: 0.7 } noise_multiplier: 2");
  ClipBound bound(config, 10.0);
  Stream random = draws(1);
  bound.follow({.within = 10, .longer = 0}, random);
  EXPECT_EQ(bound.length(), 0.7);
  EXPECT_EQ(bound.step_noise(), 2.0);
}

/// 30 of 40 within: a share of .75, so that S = exp(-.2 * .25); hardly any noise.
TEST(ClipBound, moves_by_the_share_of_short_updates) {
  const scenario::Privacy config = config_of("adaptive { initial: 1 count_noise: 1e-9 }");
  ClipBound bound(config, 40.0);
  Stream random = draws(1);
  bound.follow({.within = 30, .longer = 10}, random);
  EXPECT_NEAR(bound.length(), 0.951229, 1e-6);
}

/// Five expected, and fifteen short ones: more than all of them, which is taken for all.
TEST(ClipBound, takes_shares_from_0_to_1) {
  const scenario::Privacy config = config_of("adaptive { initial: 1 count_noise: 1e-9 quantile: 0 rate: 1 }");
  ClipBound bound(config, 5.0);
  Stream random = draws(1);
  bound.follow({.within = 15, .longer = 0}, random);
  EXPECT_NEAR(bound.length(), std::exp(-1.0), 1e-6);
  bound.follow({.within = 0, .longer = 15}, random);
  EXPECT_NEAR(bound.length(), std::exp(-1.0), 1e-6);
}

TEST(ClipBound, splits_the_noise_between_the_sum_and_the_count) {
  const scenario::Privacy config = config_of("adaptive {} noise_multiplier: 1");
  const ClipBound bound(config, 20.0);
  EXPECT_NEAR(bound.step_noise(), 1.154701, 1e-6);  // the noise on the count is a twentieth of 20
  const scenario::Privacy loud = config_of("adaptive { count_noise: 1 } noise_multiplier: 2");
  EXPECT_THROW(ClipBound(loud, 20.0), InputError);
}

/// Lengths of a lognormal distribution of median 1: the bound finds it from below and from above.
TEST(ClipBound, finds_the_quantile_from_either_side) {
  for (const std::string start : {"0.1", "10"}) {
    const scenario::Privacy config = config_of("adaptive { initial: " + start + " }");
    ClipBound bound(config, 50.0);
    double mean = 0.0;
    for (std::uint32_t round = 1; round <= 200; ++round) {
      Stream lengths(3, streams::selection(0, {round}));
      UpdateLengths counted;
      for (int i = 0; i < 50; ++i)
        ++(std::exp(0.5 * lengths.normal()) <= bound.length() ? counted.within : counted.longer);
      Stream random = draws(round);
      bound.follow(counted, random);
      if (round > 150) mean += bound.length() / 50.0;
    }
    EXPECT_GT(mean, 0.85);
    EXPECT_LT(mean, 1.15);
  }
}

TEST(ClipBound, is_saved) {
  const scenario::Privacy config = config_of("adaptive {}");
  ClipBound bound(config, 10.0), other(config, 10.0);
  Stream random = draws(1);
  bound.follow({.within = 3, .longer = 7}, random);
  SaveArchive save;
  bound.serialize(save);
  LoadArchive load(save.bytes());
  other.serialize(load);
  EXPECT_EQ(bound.length(), other.length());
  EXPECT_NE(bound.length(), 0.1);
}

TEST(UpdateNoise, shortens_what_is_longer_and_nothing_else) {
  std::vector<float> longer{3.0F, 4.0F}, within{0.3F, 0.4F}, zero{0.0F, 0.0F}, infinite{INFINITY, 1.0F};
  EXPECT_DOUBLE_EQ(shorten(longer, 1.0), 5.0);
  EXPECT_THAT(longer, testing::ElementsAre(testing::FloatEq(0.6F), testing::FloatEq(0.8F)));
  EXPECT_NEAR(shorten(within, 1.0), 0.5, 1e-7);
  EXPECT_THAT(within, testing::ElementsAre(0.3F, 0.4F));
  EXPECT_EQ(shorten(zero, 1.0), 0.0);
  EXPECT_THAT(zero, testing::ElementsAre(0.0F, 0.0F));
  shorten(infinite, 1.0);
  EXPECT_EQ(infinite[1], 1.0F);
}

TEST(UpdateNoise, is_the_same_on_a_row_and_on_columns_of_any_number_of_ranks) {
  constexpr std::size_t dimension = 5000;
  const PanelNoise stream = [](std::size_t panel) { return streams::noise_of_client(0, {4}, {2}, panel); };
  std::vector<float> row(dimension, 1.0F);
  add_panel_noise(row, 0.5, 9, stream);
  double sum = 0.0, squares = 0.0;
  for (const float value : row) {
    sum += value - 1.0;
    squares += (value - 1.0) * (value - 1.0);
  }
  EXPECT_NEAR(sum / dimension, 0.0, 4.0 * 0.5 / std::sqrt(dimension));
  EXPECT_NEAR(squares / dimension, 0.25, 4.0 * 0.25 * std::sqrt(2.0 / dimension));
  for (const int ranks : {1, 2, 3, 7}) {
    run_team(ranks, [&](const Comm& comm) {
      const PanelPlan plan(dimension);
      ColumnVector columns(comm, std::vector<float>(dimension, 1.0F));
      add_panel_noise(comm, plan, columns.values(), 0.5, 9, stream);
      std::vector<float> whole(dimension);
      replicate(comm, plan, columns, whole);
      EXPECT_EQ(whole, row) << ranks << " ranks";
    });
  }
}

}  // namespace
}  // namespace souk::clip_bound_test
