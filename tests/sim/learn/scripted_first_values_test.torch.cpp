// First values of networks from PyTorch: from the file, by kinds of layers, by rules of the scenario's.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/sim/learn/fixtures.hpp"
#include "tests/sim/learn/script_fixtures.torch.hpp"

namespace souk::scripted_first_values_test {
namespace {

using fixtures::model;
using fixtures::shape;
using scripts::linear;
using scripts::Module;
using scripts::net;
using scripts::saved;
using testing::Each;
using testing::HasSubstr;

/// 40 x 50 and its bias, then batch normalisation, an embedding that is not used, and an affine layer for two classes.
Module some_net() {
  Module words = scripts::layer("Embedding");
  words.register_parameter("weight", scripts::parameter({300, 10}), false);
  words.register_attribute("padding_idx", c10::IntType::get(), 2);
  words.define("def forward(self, x):\n  return x\n");
  return net({{"first", linear(40, 50)}, {"norm", scripts::batch_norm(50)}, {"words", words}, {"last", linear(50, 2)}},
             "return self.last(self.norm(self.first(x)))");
}

struct Drawn {
  explicit Drawn(const std::string& more, std::uint64_t seed = 7, const Module& module = some_net()) {
    const auto network = make_network(model(saved(module, more)), shape(40, 1, 1, 2), "cpu");
    layout = network->layout();
    values.resize(layout.dimension());
    Stream random(seed, StreamKey{Purpose::weight_init, nobody, RoundIndex{0}});
    network->initialise(random, values);
  }
  std::vector<float> of(const std::string& name) const {
    const Slot& slot = layout.slot(name);
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(slot.offset);
    return {first, first + static_cast<std::ptrdiff_t>(slot.size)};
  }
  double deviation(const std::string& name) const {
    const auto tensor = of(name);
    return fixtures::norm(tensor) / std::sqrt(static_cast<double>(tensor.size()));
  }
  float largest(const std::string& name) const {
    const auto tensor = of(name);
    return *std::ranges::max_element(tensor);
  }
  ParameterLayout layout{{}};
  std::vector<float> values;
};

std::string refusal_of(const std::string& more, const Module& module = some_net()) {
  try {
    const Drawn drawn(more, 7, module);
  } catch (const InputError& error) {
    return error.what();
  }
  return "none";
}

TEST(FirstValues, are_those_of_the_file_whatever_the_seed) {
  EXPECT_EQ(Drawn("", 1).values, Drawn("", 2).values);
  EXPECT_NE(Drawn("first_values: DRAWN", 1).values, Drawn("first_values: DRAWN", 2).values);
  EXPECT_EQ(Drawn("first_values: DRAWN", 1).values, Drawn("first_values: DRAWN", 1).values);
}

TEST(FirstValues, are_drawn_as_the_kind_of_layer_says) {
  const Drawn drawn("first_values: DRAWN");
  const auto bound = static_cast<float>(1.0 / std::sqrt(40.0));

  EXPECT_LE(drawn.largest("first.weight"), bound);
  EXPECT_GT(drawn.largest("first.weight"), 0.98F * bound);
  EXPECT_NEAR(drawn.deviation("first.weight"), bound / std::sqrt(3.0), 0.03 * bound);
  EXPECT_LE(drawn.largest("first.bias"), bound);
  EXPECT_GT(drawn.largest("first.bias"), 0.8F * bound);
  EXPECT_THAT(drawn.of("norm.weight"), Each(1.0F));
  EXPECT_THAT(drawn.of("norm.bias"), Each(0.0F));
  EXPECT_THAT(drawn.of("norm.running_mean"), Each(0.0F));
  EXPECT_THAT(drawn.of("norm.running_var"), Each(1.0F));
  EXPECT_NEAR(drawn.deviation("words.weight"), 1.0, 0.05);
  const auto words = drawn.of("words.weight");
  EXPECT_THAT(std::vector(words.begin() + 20, words.begin() + 30), Each(0.0F));
  EXPECT_NE(words[19], 0.0F);
  EXPECT_NE(words[30], 0.0F);
}

TEST(FirstValues, are_drawn_as_the_first_rule_that_fits_says) {
  const Drawn drawn(
      "first_values: DRAWN "
      "initialisers { name: \"*.bias\" constant: 0.25 } "
      "initialisers { name: \"first.*\" fan_in_normal: 1.4142135623730951 } "
      "initialisers { name: \"last.weight\" xavier_uniform: 1 } "
      "initialisers { dimensions: 2 uniform: 0.5 } "
      "initialisers { name: \"norm.running_*\" from_file: true } "
      "initialisers { normal: 3 }");

  EXPECT_THAT(drawn.of("first.bias"), Each(0.25F));
  EXPECT_THAT(drawn.of("norm.bias"), Each(0.25F));
  EXPECT_NEAR(drawn.deviation("first.weight"), std::sqrt(2.0 / 40.0), 0.01);
  const auto xavier = static_cast<float>(std::sqrt(6.0 / 52.0));
  EXPECT_LE(drawn.largest("last.weight"), xavier);
  EXPECT_GT(drawn.largest("last.weight"), 0.9F * xavier);
  EXPECT_LE(drawn.largest("words.weight"), 0.5F);
  EXPECT_GT(drawn.largest("words.weight"), 0.49F);
  EXPECT_THAT(drawn.of("norm.running_var"), Each(1.0F));
  EXPECT_NEAR(drawn.deviation("norm.weight"), 3.0, 1.0);
}

TEST(FirstValues, say_what_cannot_be_drawn) {
  Module module = net({{"fc", linear(40, 2)}}, "return self.fc(x)");
  module.register_parameter("scale", scripts::parameter({3}), false);
  module.register_buffer("table", scripts::some_values({3}));

  EXPECT_THAT(refusal_of("first_values: DRAWN", module), HasSubstr("scale is of no layer of PyTorch's"));
  const Drawn helped("first_values: DRAWN initialisers { name: \"scale\" from_file: true }", 7, module);
  EXPECT_EQ(helped.of("scale"), helped.of("table"));
}

TEST(FirstValues, refuse_rules_that_say_nothing) {
  const std::string drawn = "first_values: DRAWN ";
  EXPECT_THAT(refusal_of("initialisers { normal: 1 }"), HasSubstr("first_values says FROM_FILE: set it to DRAWN"));
  EXPECT_THAT(refusal_of(drawn + "initialisers { name: \"frist.*\" normal: 1 }"),
              HasSubstr("initialisers[0]: fits none of the module's 9 tensors"));
  EXPECT_THAT(refusal_of(drawn + "initialisers { name: \"first.*\" }"), HasSubstr("and not how they are drawn"));
  EXPECT_THAT(refusal_of(drawn + "initialisers { name: \"first.*\" from_file: false }"), HasSubstr("is false"));
  EXPECT_THAT(refusal_of(drawn + "initialisers { name: \"first.*\" fan_in_uniform: 1 }"),
              HasSubstr("needs tensors of two dimensions or more, and first.bias has 1"));
}

}  // namespace
}  // namespace souk::scripted_first_values_test
