// Codecs by themselves: what hand calculation and the specification say of each, and what all of them promise.
#include "agents/communication/codec.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "scenarios/communication.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/bit_packing.hpp"

namespace souk::codec_test {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;
using Values = std::vector<float>;

ParameterLayout layout_of(std::vector<std::vector<std::int64_t>> shapes) {
  std::vector<Slot> slots;
  for (auto& shape : shapes)
    slots.push_back({.name = "slot" + std::to_string(slots.size()), .shape = std::move(shape)});
  return ParameterLayout(std::move(slots));
}

ParameterLayout vector_of(std::size_t d) { return layout_of({{static_cast<std::int64_t>(d)}}); }

std::unique_ptr<Codec> codec(const std::string& text) {
  scenario::Communication config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return make_codec(config);
}

EncodingDraws draws(std::uint64_t seed) {
  return {.seed = seed,
          .own = streams::encoding(0, AgentId{1}, RoundIndex{1}),
          .start = streams::thin_matrices(AgentId{1})};
}

/// An encoded update, and what is decoded from it.
struct Passed {
  std::vector<std::byte> message;
  Values decoded;
};

Passed pass(const Codec& codec, const ParameterLayout& layout, const Values& values, std::uint64_t seed = 1,
            bool feedback = false, std::span<float> memory = {}) {
  Values own_memory(codec.memory(layout));
  if (memory.empty()) memory = own_memory;
  Passed passed{std::vector<std::byte>(codec.bytes(layout)), Values(values.size())};
  const EncodingDraws names = draws(seed);
  codec.encode({.values = values, .layout = layout, .draws = names, .feedback = feedback, .memory = memory},
               passed.message);
  codec.decode(passed.message, layout, passed.decoded);
  return passed;
}

Values normal_values(std::size_t d, std::uint64_t seed) {
  Stream random(seed, {Purpose::dataset});
  Values values(d);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

double length(std::span<const float> values) {
  double square = 0.0;
  for (const float value : values) square += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(square);
}

/// Mean of what is decoded over so many draws, and its standard error, value by value.
std::pair<std::vector<double>, std::vector<double>> mean_over_draws(const Codec& codec, const Values& values,
                                                                    std::uint64_t draws) {
  const ParameterLayout layout = vector_of(values.size());
  std::vector<double> sum(values.size()), squares(values.size());
  for (std::uint64_t seed = 1; seed <= draws; ++seed) {
    const Values decoded = pass(codec, layout, values, seed).decoded;
    for (std::size_t j = 0; j < values.size(); ++j) {
      sum[j] += static_cast<double>(decoded[j]);
      squares[j] += static_cast<double>(decoded[j]) * static_cast<double>(decoded[j]);
    }
  }
  const auto n = static_cast<double>(draws);
  for (std::size_t j = 0; j < values.size(); ++j) {
    sum[j] /= n;
    squares[j] = std::sqrt(std::max(squares[j] / n - sum[j] * sum[j], 0.0) / n);
  }
  return {sum, squares};
}

void expect_unbiased(const Codec& codec, const Values& values, std::uint64_t draws) {
  const auto [mean, error] = mean_over_draws(codec, values, draws);
  for (std::size_t j = 0; j < values.size(); ++j) {
    EXPECT_NEAR(mean[j], static_cast<double>(values[j]), 4.0 * error[j] + 1e-6) << "value " << j;
  }
}

TEST(TopK, keeps_the_greatest_and_of_equal_ones_the_first) {
  const auto top = codec("top_k { share: 0.4 }");
  const Values values{1.0F, -3.0F, 0.5F, 3.0F, -1.0F};
  EXPECT_THAT(pass(*top, vector_of(5), values).decoded, ElementsAre(0.0F, -3.0F, 0.0F, 3.0F, 0.0F));
  EXPECT_THAT(pass(*top, vector_of(5), {2.0F, -2.0F, 2.0F, 2.0F, 0.0F}).decoded,
              ElementsAre(2.0F, -2.0F, 0.0F, 0.0F, 0.0F));
}

TEST(TopK, is_what_sorting_gives) {
  for (const std::size_t d : {std::size_t{10}, std::size_t{1000}, std::size_t{4097}}) {
    for (const double share : {0.001, 0.02, 0.3, 1.0}) {
      Values values = normal_values(d, d);
      for (std::size_t j = 0; j < d; j += 3) values[j] = std::round(values[j]);  // many are equal
      std::vector<std::size_t> order(d);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t j) { return std::abs(values[j]); });
      Values expected(d, 0.0F);
      const std::size_t k = values_kept(share, d);
      for (std::size_t i = 0; i < k; ++i) expected[order[i]] = values[order[i]];
      const auto top = codec("top_k { share: " + std::to_string(share) + " }");
      const Passed passed = pass(*top, vector_of(d), values);
      EXPECT_EQ(passed.decoded, expected) << d << " " << share;
      EXPECT_EQ(passed.message.size(), 8 + 4 * k + std::min(4 * k, (d + 7) / 8));
    }
  }
}

TEST(RandomK, keeps_the_places_of_its_seed_and_scales_what_is_not_kept_for_later) {
  const auto random = codec("random_k { share: 0.25 }");
  const Values values = normal_values(40, 3);
  const Values once = pass(*random, vector_of(40), values, 5).decoded;
  const Values later = pass(*random, vector_of(40), values, 5, true).decoded;
  std::size_t kept = 0;
  for (std::size_t j = 0; j < 40; ++j) {
    if (once[j] == 0.0F) continue;
    ++kept;
    EXPECT_FLOAT_EQ(once[j], 4.0F * values[j]);
    EXPECT_FLOAT_EQ(later[j], values[j]);
  }
  EXPECT_EQ(kept, 10U);
  EXPECT_EQ(random->bytes(vector_of(40)), 4U * 10 + 8);
  const Values other = pass(*random, vector_of(40), normal_values(40, 4), 5).decoded;
  for (std::size_t j = 0; j < 40; ++j) EXPECT_EQ(other[j] == 0.0F, once[j] == 0.0F);
  expect_unbiased(*random, {1.0F, -2.0F, 0.5F, 3.0F}, 20000);
}

/// Section 7.1's example: s = 2 on (3, -4, 0, 0): levels 1 with .8 and 2 with .2, 1 with .4 and 2 with .6.
TEST(Qsgd, rounds_to_neighbouring_levels_with_the_right_odds) {
  const auto qsgd = codec("qsgd { levels: 2 bucket: 0 }");
  const Values values{3.0F, -4.0F, 0.0F, 0.0F};
  std::map<float, int> first, second;
  const int draws = 100000;
  for (int seed = 1; seed <= draws; ++seed) {
    const Values decoded = pass(*qsgd, vector_of(4), values, static_cast<std::uint64_t>(seed)).decoded;
    ++first[decoded[0]];
    ++second[decoded[1]];
    ASSERT_EQ(decoded[2], 0.0F);
  }
  ASSERT_THAT(first, testing::UnorderedElementsAre(testing::Key(2.5F), testing::Key(5.0F)));
  ASSERT_THAT(second, testing::UnorderedElementsAre(testing::Key(-2.5F), testing::Key(-5.0F)));
  const auto share = [&](int count) { return static_cast<double>(count) / draws; };
  EXPECT_NEAR(share(first[2.5F]), 0.8, 4.0 * std::sqrt(0.8 * 0.2 / draws));
  EXPECT_NEAR(share(second[-2.5F]), 0.4, 4.0 * std::sqrt(0.4 * 0.6 / draws));
  expect_unbiased(*qsgd, values, 20000);
}

TEST(Qsgd, stays_within_the_variance_that_its_paper_proves) {
  for (const auto& [levels, bucket] : {std::pair{1, 0}, std::pair{4, 128}, std::pair{16, 128}, std::pair{300, 30}}) {
    const auto qsgd = codec("qsgd { levels: " + std::to_string(levels) + " bucket: " + std::to_string(bucket) + " }");
    const std::size_t d = 300, beta = bucket == 0 ? d : static_cast<std::size_t>(bucket);
    const Values values = normal_values(d, 9);
    double sum = 0.0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      Values decoded = pass(*qsgd, vector_of(d), values, seed).decoded;
      for (std::size_t j = 0; j < d; ++j) decoded[j] -= values[j];
      sum += std::pow(length(decoded), 2);
    }
    const double s = levels, b = static_cast<double>(beta);
    EXPECT_LE(sum / 200.0, std::min(b / (s * s), std::sqrt(b) / s) * std::pow(length(values), 2));
    const auto bits = static_cast<std::size_t>(std::ceil(std::log2(2 * levels + 1)));
    std::size_t bytes = 0;
    for (std::size_t at = 0; at < d; at += beta) bytes += 4 + (std::min(beta, d - at) * bits + 7) / 8;
    EXPECT_EQ(qsgd->bytes(vector_of(d)), bytes);
  }
}

/// Buckets are rounded independently of each other, also where they are short.
TEST(Qsgd, buckets_draw_words_of_their_own) {
  const auto qsgd = codec("qsgd { levels: 1 bucket: 2 }");
  const Values values(64, 0.6F);  // each a level with probability 1/sqrt(2)
  const Values decoded = pass(*qsgd, vector_of(64), values).decoded;
  std::map<std::pair<bool, bool>, int> seen;
  for (std::size_t j = 0; j < 64; j += 2) ++seen[{decoded[j] != 0.0F, decoded[j + 1] != 0.0F}];
  EXPECT_GT(seen.size(), 2U);
  EXPECT_LT(seen[std::pair(true, true)], 32);
}

/// Of (.5, -1, .25, 2): deviation 1.066170, cut at 2.665425, scale 2, probabilities .25, .5, .125, 1.
TEST(TernGrad, rounds_with_the_odds_of_the_example) {
  const auto tern = codec("tern_grad {}");
  const Values values{0.5F, -1.0F, 0.25F, 2.0F};
  const int draws = 40000;
  std::vector<int> hits(4);
  for (int seed = 1; seed <= draws; ++seed) {
    const Values decoded = pass(*tern, vector_of(4), values, static_cast<std::uint64_t>(seed)).decoded;
    for (std::size_t j = 0; j < 4; ++j) {
      if (decoded[j] == 0.0F) continue;
      EXPECT_FLOAT_EQ(decoded[j], values[j] < 0.0F ? -2.0F : 2.0F);
      ++hits[j];
    }
  }
  const std::vector<double> odds{0.25, 0.5, 0.125, 1.0};
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_NEAR(hits[j] / static_cast<double>(draws), odds[j],
                4.0 * std::sqrt(odds[j] * (1 - odds[j]) / draws) + 1e-12);
  }
  EXPECT_EQ(tern->bytes(vector_of(9)), 4U + 3);
}

/// One value is far out: it is cut at 2.5 deviations, and that is the scale.
TEST(TernGrad, cuts_what_is_far_out) {
  Values values(100, 0.0F);
  values[3] = 10.0F;
  const double deviation = std::sqrt(0.01 * 100.0 - 0.01);  // mean .1: sqrt(1 - .01)
  const Values decoded = pass(*codec("tern_grad {}"), vector_of(100), values).decoded;
  EXPECT_NEAR(static_cast<double>(decoded[3]), 2.5 * deviation, 1e-5);
  EXPECT_EQ(pass(*codec("tern_grad { cut: 0 }"), vector_of(100), values).decoded[3], 10.0F);
}

TEST(OneBit, sends_the_means_of_either_sign) {
  const Values decoded = pass(*codec("one_bit {}"), vector_of(4), {0.5F, -1.0F, 0.25F, 2.0F}).decoded;
  EXPECT_THAT(decoded, Pointwise(FloatNear(1e-6F), Values{0.916667F, -1.0F, 0.916667F, 0.916667F}));
  EXPECT_THAT(pass(*codec("one_bit {}"), vector_of(2), {-0.0F, 0.0F}).decoded, ElementsAre(0.0F, 0.0F));
  EXPECT_EQ(codec("one_bit {}")->bytes(vector_of(17)), 8U + 3);
}

TEST(ErrorFeedbackSign, sends_the_mean_magnitude_and_takes_0_for_positive) {
  const Values decoded = pass(*codec("ef_sign {}"), vector_of(4), {0.5F, -1.0F, 0.25F, 2.0F}).decoded;
  EXPECT_THAT(decoded, ElementsAre(0.9375F, -0.9375F, 0.9375F, 0.9375F));
  EXPECT_THAT(pass(*codec("ef_sign {}"), vector_of(2), {0.0F, -1.0F}).decoded, ElementsAre(0.5F, -0.5F));
}

/// r = 1, M = [[3, 1], [2, 4], [0, 2]], Q = (1, 0).
TEST(PowerSgd, takes_one_step_of_the_power_method) {
  const auto power = codec("power_sgd { rank: 1 }");
  const ParameterLayout layout = layout_of({{3, 2}, {2}});
  Values memory{1.0F, 1.0F, 0.0F};
  const Passed passed = pass(*power, layout, {3, 1, 2, 4, 0, 2, 7, 8}, 1, false, memory);
  EXPECT_THAT(passed.decoded, Pointwise(FloatNear(1e-5F), Values{3, 2.538462F, 2, 1.692308F, 0, 0, 7, 8}));
  EXPECT_THAT(memory, Pointwise(FloatNear(1e-5F), Values{1, 3.605551F, 3.050851F}));
  EXPECT_EQ(passed.message.size(), 4U * (3 + 2 + 2));
}

/// From step to step of the same matrix the product tends to its best approximation, which for a matrix of rank 2 is
/// it.
TEST(PowerSgd, comes_close_to_a_matrix_of_its_rank) {
  const auto power = codec("power_sgd { rank: 2 }");
  const ParameterLayout layout = layout_of({{12, 10}});
  const Values left = normal_values(24, 1), right = normal_values(20, 2);
  Values matrix(120);
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t j = 0; j < 10; ++j) {
      matrix[i * 10 + j] = left[2 * i] * right[2 * j] + left[2 * i + 1] * right[2 * j + 1];
    }
  }
  Values memory(power->memory(layout));
  Values decoded = pass(*power, layout, matrix, 1, false, memory).decoded;
  for (std::size_t v = 0; v < 120; ++v) decoded[v] -= matrix[v];
  EXPECT_LT(length(decoded), 1e-4 * length(matrix));
}

TEST(PowerSgd, sends_what_would_not_get_smaller_as_it_is) {
  const auto power = codec("power_sgd { rank: 4 }");
  const ParameterLayout layout = layout_of({{4, 4}, {5}});
  const Values values = normal_values(21, 8);
  EXPECT_EQ(pass(*power, layout, values).decoded, values);
  EXPECT_EQ(power->bytes(layout), 84U);
}

std::vector<std::string> all_codecs() {
  return {"top_k { share: 0.1 }",
          "top_k { share: 1 }",
          "random_k { share: 0.1 }",
          "qsgd {}",
          "qsgd { levels: 1 bucket: 0 }",
          "tern_grad {}",
          "tern_grad { cut: 0 }",
          "one_bit {}",
          "ef_sign {}",
          "power_sgd { rank: 1 }"};
}

class EveryCodec : public testing::TestWithParam<std::string> {};

TEST_P(EveryCodec, decodes_0_from_0) {
  const auto any = codec(GetParam());
  const ParameterLayout layout = layout_of({{9, 30}, {31}});
  EXPECT_THAT(pass(*any, layout, Values(301, 0.0F)).decoded, testing::Each(0.0F));
}

TEST_P(EveryCodec, gives_the_same_bytes_again) {
  const auto any = codec(GetParam());
  const ParameterLayout layout = layout_of({{9, 30}, {31}});
  const Values values = normal_values(301, 6);
  EXPECT_EQ(pass(*any, layout, values, 3).message, pass(*any, layout, values, 3).message);
}

TEST_P(EveryCodec, is_unbiased_where_it_says_so) {
  const auto any = codec(GetParam());
  if (!any->is_unbiased()) GTEST_SKIP() << "it does not";
  expect_unbiased(*any, normal_values(20, 2), 20000);
}

/// Error feedback: what was sent so far and what is left out are all that there was to send.
TEST_P(EveryCodec, loses_nothing_with_error_feedback) {
  const auto any = codec(GetParam());
  const ParameterLayout layout = layout_of({{9, 30}, {31}});
  Values left_out(301, 0.0F), memory(any->memory(layout));
  std::vector<double> sent(301), wanted(301);
  double greatest = 1.0;  // of the values that are added up: some codecs blow up what is left out
  for (std::uint64_t t = 1; t <= 10; ++t) {
    Values values = normal_values(301, t);
    for (std::size_t j = 0; j < 301; ++j) wanted[j] += static_cast<double>(values[j]);
    for (std::size_t j = 0; j < 301; ++j) values[j] += left_out[j];
    const Values decoded = pass(*any, layout, values, t, true, memory).decoded;
    for (std::size_t j = 0; j < 301; ++j) {
      sent[j] += static_cast<double>(decoded[j]);
      left_out[j] = values[j] - decoded[j];
      greatest = std::max(greatest, static_cast<double>(std::abs(decoded[j])));
    }
  }
  for (std::size_t j = 0; j < 301; ++j)
    EXPECT_NEAR(sent[j] + static_cast<double>(left_out[j]), wanted[j], 1e-6 * greatest);
}

/// Any bytes: refused with a sentence, or decoded to numbers.
TEST_P(EveryCodec, refuses_hostile_bytes) {
  const auto any = codec(GetParam());
  const ParameterLayout layout = layout_of({{9, 30}, {31}});
  const Passed good = pass(*any, layout, normal_values(301, 6));
  Values values(301);
  std::vector<std::byte> shorter(good.message.begin(), good.message.end() - 1);
  EXPECT_THROW(any->decode(shorter, layout, values), InputError);
  Stream random(4, {Purpose::dataset});
  std::size_t refused = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<std::byte> hostile = good.message;
    if (trial % 2 == 0) {
      for (std::byte& byte : hostile) byte = static_cast<std::byte>(random.next());
    } else {
      for (int i = 0; i < 3; ++i) {
        hostile[random.below(static_cast<std::uint32_t>(hostile.size()))] = static_cast<std::byte>(random.next());
      }
    }
    try {
      any->decode(hostile, layout, values);
      for (const float value : values) EXPECT_FALSE(std::isnan(value));
    } catch (const InputError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, EveryCodec, testing::ValuesIn(all_codecs()),
                         [](const auto& each) { return "codec_" + std::to_string(each.index); });

TEST(EveryCodecThereIs, is_among_those_tested) {
  for (const std::string& name : PluginRegistry<Codec>::instance().names()) {
    EXPECT_THAT(all_codecs(), testing::Contains(testing::StartsWith(name + " ")));
  }
}

TEST(BitPacking, gives_back_what_it_was_given) {
  Stream random(1, {Purpose::dataset});
  for (unsigned bits = 1; bits <= 16; ++bits) {
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{100}}) {
      std::vector<std::uint16_t> numbers(n), back(n);
      for (auto& number : numbers) number = static_cast<std::uint16_t>(random.below(1U << bits));
      std::vector<std::byte> packed((n * bits + 7) / 8);
      pack_bits(numbers, bits, packed);
      unpack_bits(packed, bits, back);
      EXPECT_EQ(back, numbers) << bits << " bits, " << n;
    }
  }
  std::vector<std::byte> packed(2);
  pack_bits(std::vector<std::uint16_t>{1, 2, 3, 4, 5}, 3, packed);  // 001 010 011 100 101, low bits first
  EXPECT_THAT(packed, ElementsAre(std::byte{0b11010001}, std::byte{0b01011000}));
}

}  // namespace
}  // namespace souk::codec_test
