// The network over texts, against loops that follow its definition word by word.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/learn/chain_network.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::text_cnn_test {
namespace {

using fixtures::initial_parameters;
using fixtures::loss_and_gradient;
using fixtures::model;
using fixtures::norm;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

ModelShape texts_of(std::size_t length, std::size_t vocabulary, int classes) {
  return {.input = {length, 1, 1}, .classes = classes, .vocabulary = vocabulary};
}

/// Texts of random words; padding after random lengths, a full and an empty row among them.
struct Texts {
  Texts(const ModelShape& of, std::size_t count) : features(count * of.input[0]), labels(count) {
    Stream random = fixtures::stream(77);
    const std::size_t length = of.input[0];
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t words = random.below(static_cast<std::uint32_t>(length + 1));
      if (i < 2) words = i * length;
      for (std::size_t w = 0; w < words; ++w) {
        features[i * length + w] = static_cast<float>(1 + random.below(static_cast<std::uint32_t>(of.vocabulary - 1)));
      }
      labels[i] = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(of.classes)));
    }
  }
  Batch batch() const { return {.features = features, .labels = labels, .samples = labels.size()}; }
  std::vector<float> features;
  std::vector<std::int32_t> labels;
};

/// Logits of one text by the definition: every filter at every place where it meets the row, zeros around it.
std::vector<double> logits_by_definition(const ParameterLayout& layout, const std::vector<float>& parameters,
                                         std::span<const float> tokens, const std::vector<std::size_t>& widths) {
  const auto value = [&](const std::string& slot, std::size_t i) {
    return static_cast<double>(parameters[layout.slot(slot).offset + i]);
  };
  const auto values = static_cast<std::size_t>(layout.slot("embedding.weight").shape[1]);
  const auto length = static_cast<std::ptrdiff_t>(tokens.size());
  const auto embedded = [&](std::ptrdiff_t place, std::size_t v) {
    if (place < 0 || place >= length) return 0.0;
    const auto token = static_cast<std::size_t>(tokens[static_cast<std::size_t>(place)]);
    return token == 0 ? 0.0 : value("embedding.weight", token * values + v);
  };
  std::vector<double> largest;
  for (const std::size_t width : widths) {
    const std::string name = "conv" + std::to_string(width);
    const auto filters = static_cast<std::size_t>(layout.slot(name + ".bias").shape[0]);
    for (std::size_t f = 0; f < filters; ++f) {
      double best = 0.0;  // ReLU
      for (std::ptrdiff_t at = 1 - static_cast<std::ptrdiff_t>(width); at < length; ++at) {
        double sum = value(name + ".bias", f);
        for (std::size_t v = 0; v < values; ++v) {
          for (std::size_t w = 0; w < width; ++w) {
            sum += value(name + ".weight", (f * values + v) * width + w) *
                   embedded(at + static_cast<std::ptrdiff_t>(w), v);
          }
        }
        best = std::max(best, sum);
      }
      largest.push_back(best);
    }
  }
  std::vector<double> logits;
  for (std::size_t c = 0; c < static_cast<std::size_t>(layout.slot("fc.bias").shape[0]); ++c) {
    double sum = value("fc.bias", c);
    for (std::size_t i = 0; i < largest.size(); ++i) sum += value("fc.weight", c * largest.size() + i) * largest[i];
    logits.push_back(sum);
  }
  return logits;
}

struct TextCase {
  std::string model;
  std::size_t length;
  std::vector<std::size_t> widths;
};

class TextCnnLogits : public ::testing::TestWithParam<TextCase> {};

TEST_P(TextCnnLogits, are_those_of_the_definition) {
  const ModelShape shape = texts_of(GetParam().length, 9, 3);
  const auto network = make_network(model(GetParam().model), shape, "cpu");
  std::vector<float> parameters = initial_parameters(*network);
  parameters[0] = 1e6F;  // in the row of padding, which must not matter
  const Texts texts(shape, 8);

  const std::vector<float> logits = fixtures::logits(*network, parameters, texts.batch());

  for (std::size_t i = 0; i < 8; ++i) {
    const auto tokens = std::span(texts.features).subspan(i * shape.input[0], shape.input[0]);
    const auto expected = logits_by_definition(network->layout(), parameters, tokens, GetParam().widths);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(logits[i * 3 + c], expected[c], 1e-5) << "text " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, TextCnnLogits,
    ::testing::Values(TextCase{"text_cnn { embedding: 4 filters: 5 }", 7, {3, 4, 5}},
                      TextCase{"text_cnn { embedding: 3 filters: 2 widths: [2, 1] }", 6, {2, 1}},
                      TextCase{"text_cnn { embedding: 1 filters: 1 widths: 6 }", 2, {6}},  // wider than the row
                      TextCase{"text_cnn { embedding: 2 filters: 3 }", 1, {3, 4, 5}}));

TEST(TextCnn, has_named_parameters_and_counts_its_work) {
  const Architecture network = make_architecture(model("text_cnn {}"), texts_of(64, 10002, 4));
  const ParameterLayout layout = network.layout();

  EXPECT_THAT(layout.slot("embedding.weight").shape, ElementsAre(10002, 50));
  EXPECT_THAT(layout.slot("conv4.weight").shape, ElementsAre(50, 50, 4));
  EXPECT_THAT(layout.slot("conv4.bias").shape, ElementsAre(50));
  EXPECT_THAT(layout.slot("fc.weight").shape, ElementsAre(4, 150));
  EXPECT_EQ(layout.dimension(), 10002U * 50 + 50 * 50 * (3 + 4 + 5) + 150 + 4 * 150 + 4);
  // Width w stands in 64 + w - 1 places.
  EXPECT_EQ(network.forward_flops(), 2.0 * (50 * 50 * (3 * 66 + 4 * 67 + 5 * 68) + 4 * 150));
  EXPECT_FALSE(is_chain(network));
}

TEST(TextCnn, begins_with_zeros_for_padding_and_small_values_for_every_word) {
  const auto network = make_network(model("text_cnn {}"), texts_of(8, 402, 4), "cpu");
  const std::vector<float> parameters = initial_parameters(*network);
  const auto rows = std::span(parameters).first(402 * 50);

  EXPECT_TRUE(std::ranges::all_of(rows.first(50), [](float value) { return value == 0.0F; }));
  EXPECT_LE(std::ranges::max(rows), 0.25F);
  EXPECT_GE(std::ranges::min(rows), -0.25F);
  const double n = 401 * 50, variance = 0.25 * 0.25 / 3;
  EXPECT_NEAR(norm(rows) * norm(rows) / n, variance, 5 * variance * std::sqrt(0.8 / n));  // kurtosis 1.8
  const auto filters = std::span(parameters).subspan(network->layout().slot("conv3.weight").offset, 50 * 50 * 3);
  const float bound = 1.0F / std::sqrt(150.0F);
  EXPECT_LE(std::ranges::max(filters), bound);
  EXPECT_GT(std::ranges::max(filters), 0.99F * bound);
  EXPECT_LT(std::ranges::min(filters), -0.99F * bound);
}

// Central differences along every coordinate. Steps are small against the distance of maxima and ReLUs to their kinks,
// which this seed keeps, and large against the rounding of the loss.
TEST(TextCnn, has_the_gradient_that_finite_differences_give) {
  const ModelShape shape = texts_of(6, 7, 3);
  const auto network = make_network(model("text_cnn { embedding: 3 filters: 2 widths: [2, 3] }"), shape, "cpu");
  const std::vector<float> parameters = fixtures::normal_values(network->layout().dimension(), 40);
  const Texts texts(shape, 5);
  const auto loss_at = [&](std::size_t i, float step) {
    std::vector<float> moved = parameters;
    moved[i] += step;
    return loss_and_gradient(*network, moved, texts.batch()).loss;
  };

  const std::vector<float> gradient = loss_and_gradient(*network, parameters, texts.batch()).gradient;

  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const float step = 1e-3F;
    EXPECT_NEAR((loss_at(i, step) - loss_at(i, -step)) / (2.0 * step), gradient[i], 3e-3) << i;
  }
  for (std::size_t v = 0; v < 3; ++v) EXPECT_EQ(gradient[v], 0.0F);  // the row of padding
  EXPECT_GT(norm(std::span(gradient).subspan(3, 18)), 1e-3);         // and those of words
}

TEST(TextCnn, has_a_symmetric_hessian) {
  const ModelShape shape = texts_of(6, 7, 3);
  const auto network = make_network(model("text_cnn { embedding: 3 filters: 4 widths: [2, 3] }"), shape, "cpu");
  const std::vector<float> parameters = initial_parameters(*network);
  const Texts texts(shape, 6);
  const auto u = fixtures::normal_values(parameters.size(), 30), v = fixtures::normal_values(parameters.size(), 31);
  std::vector<float> hessian_u(u.size()), hessian_v(u.size());

  network->hessian_vector(parameters, texts.batch(), u, hessian_u);
  network->hessian_vector(parameters, texts.batch(), v, hessian_v);

  EXPECT_GT(norm(hessian_u), 1e-3);
  EXPECT_NEAR(fixtures::dot(v, hessian_u), fixtures::dot(u, hessian_v), 1e-5 * norm(v) * norm(hessian_u));
}

TEST(TextCnn, takes_what_is_no_token_for_the_nearest_below) {
  const ModelShape shape = texts_of(4, 5, 2);
  const auto network = make_network(model("text_cnn {}"), shape, "cpu");
  const std::vector<float> parameters = initial_parameters(*network);
  const auto logits_of = [&](const std::vector<float>& row) {
    return fixtures::logits(*network, parameters, {.features = row, .labels = {}, .samples = 1});
  };

  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(logits_of({2.9F, 1e30F, 3.0F, -7.0F}), logits_of({2, 4, 3, 0}));
  EXPECT_EQ(logits_of({1.0F, nan, inf, -inf}), logits_of({1, 0, 4, 0}));
}

TEST(MakeNetwork, keeps_texts_and_quantities_apart) {
  const auto make = [](const std::string& text, const ModelShape& input) {
    return [=] { make_network(model(text), input, "cpu"); };
  };

  EXPECT_THAT(make("mlp {}", texts_of(8, 100, 3)),
              ThrowsMessage<InputError>(StartsWith("task.model.mlp: reads quantities, and the samples")));
  EXPECT_THAT(make("resnet18 {}", texts_of(8, 100, 3)),
              ThrowsMessage<InputError>(StartsWith("task.model.resnet18: reads quantities")));
  EXPECT_THAT(make("text_cnn {}", fixtures::shape(8, 1, 1, 3)),
              ThrowsMessage<InputError>(StartsWith("task.model.text_cnn: reads texts, and the samples")));
  EXPECT_THAT(make("text_cnn { widths: [3, 4, 3] }", texts_of(8, 100, 3)),
              ThrowsMessage<InputError>(HasSubstr("task.model.text_cnn.widths: 3 is given twice")));
}

}  // namespace
}  // namespace souk::text_cnn_test
