// Networks that are modules of PyTorch's, against Souk's own networks and against finite differences.
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/learn/layers/layers.hpp"
#include "tests/sim/learn/fixtures.hpp"
#include "tests/sim/learn/script_fixtures.torch.hpp"

namespace souk::scripted_network_test {
namespace {

using fixtures::cross_entropy;
using fixtures::initial_parameters;
using fixtures::logits;
using fixtures::loss_and_gradient;
using fixtures::model;
using fixtures::norm;
using fixtures::relative_distance;
using fixtures::Samples;
using fixtures::shape;
using scripts::batch_norm;
using scripts::conv2d;
using scripts::dropout;
using scripts::linear;
using scripts::net;
using scripts::saved;
using testing::ElementsAre;

std::unique_ptr<Network> network_of(const torch::jit::Module& module, const ModelShape& input,
                                    const std::string& more = "") {
  return make_network(model(saved(module, more)), input, "cpu");
}

std::vector<float> hessian_product(Network& network, const std::vector<float>& parameters, const Batch& batch,
                                   const std::vector<float>& direction) {
  std::vector<float> product(direction.size());
  network.hessian_vector(parameters, batch, direction, product);
  return product;
}

Batch drawing(Batch batch, std::uint64_t seed) {
  batch.draws = seed;
  return batch;
}

std::vector<std::string> names_of(const Network& network) {
  std::vector<std::string> names;
  for (const Slot& slot : network.layout().slots()) names.push_back(slot.name);
  return names;
}

TEST(ScriptedNetwork, computes_what_our_own_network_of_these_layers_does) {
  const ModelShape input = shape(2, 3, 3, 4);
  const auto ours = make_network(model("mlp { hidden: 7 }"), input, "cpu");
  const auto theirs = network_of(net({{"fc1", linear(18, 7)}, {"fc2", linear(7, 4)}},
                                     "return self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))"),
                                 input);
  const auto parameters = initial_parameters(*ours);
  const auto direction = fixtures::normal_values(parameters.size(), 3);
  const Samples samples(input, 5);

  EXPECT_EQ(text_of(theirs->layout().slots()), text_of(ours->layout().slots()));
  EXPECT_EQ(theirs->layout().fingerprint(), ours->layout().fingerprint());
  EXPECT_DOUBLE_EQ(theirs->forward_flops(), ours->forward_flops());
  EXPECT_LT(relative_distance(logits(*theirs, parameters, samples.batch()), logits(*ours, parameters, samples.batch())),
            1e-6);
  const auto mine = loss_and_gradient(*theirs, parameters, samples.batch());
  const auto oracle = loss_and_gradient(*ours, parameters, samples.batch());
  EXPECT_NEAR(mine.loss, oracle.loss, 1e-6);
  EXPECT_LT(relative_distance(mine.gradient, oracle.gradient), 1e-6);
  EXPECT_LT(relative_distance(hessian_product(*theirs, parameters, samples.batch(), direction),
                              hessian_product(*ours, parameters, samples.batch(), direction)),
            1e-5);
}

TEST(ScriptedNetwork, minimises_any_objective) {
  const ModelShape input = shape(4, 1, 1, 3);
  const std::shared_ptr<const Objective> focal =
      make_objective(fixtures::parse<scenario::Objective>("focal { gamma: 2 }"), true);
  const auto ours = make_network(model("logreg {}"), input, "cpu", focal);
  const auto theirs = make_network(model(saved(net({{"fc", linear(4, 3)}}, "return self.fc(x)"))), input, "cpu", focal);
  const auto parameters = initial_parameters(*ours);
  const Samples samples(input, 6);

  EXPECT_LT(relative_distance(loss_and_gradient(*theirs, parameters, samples.batch()).gradient,
                              loss_and_gradient(*ours, parameters, samples.batch()).gradient),
            1e-6);
}

TEST(ScriptedNetwork, predicts_numbers) {
  const ModelShape input = shape(4, 1, 1, 0);
  const auto theirs = network_of(net({{"fc", linear(4, 1)}}, "return self.fc(x)"), input);
  const auto ours = make_network(model("linear {}"), input, "cpu");
  const auto parameters = initial_parameters(*ours);
  const auto features = fixtures::normal_values(12, 1), numbers = fixtures::normal_values(3, 2);
  const Batch batch{.features = features, .samples = 3, .numbers = numbers};

  EXPECT_LT(relative_distance(loss_and_gradient(*theirs, parameters, batch).gradient,
                              loss_and_gradient(*ours, parameters, batch).gradient),
            1e-6);
}

/// A convolution, batch normalisation, and an affine layer: by a module, and by Souk's layers on LibTorch.
struct Normalised {
  ModelShape input = shape(2, 5, 5, 3);
  std::unique_ptr<Network> theirs =
      network_of(net({{"conv", conv2d(2, 4, 3)}, {"norm", batch_norm(4)}, {"fc", linear(36, 3)}},
                     "return self.fc(torch.flatten(torch.relu(self.norm(self.conv(x))), 1))"),
                 input);
  std::unique_ptr<Network> ours =
      make_torch_network(Architecture("test", input)
                             .append(layers::conv2d("conv", {.channels = 4, .kernel = 3}), layers::batch_norm("norm"),
                                     layers::relu(), layers::affine("fc", 3)),
                         "cpu", cross_entropy());
  std::vector<float> parameters = initial_parameters(*ours);
  Samples samples{input, 6};
};

TEST(ScriptedNetwork, keeps_running_statistics_in_the_model) {
  Normalised test;
  auto mine = test.parameters, oracle = test.parameters;
  std::vector<float> gradient(test.ours->layout().trainable()), expected = gradient;

  EXPECT_THAT(names_of(*test.theirs), ElementsAre("conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc.weight",
                                                  "fc.bias", "norm.running_mean", "norm.running_var"));
  EXPECT_EQ(test.theirs->gradient(mine, test.samples.batch(), gradient),
            test.ours->gradient(oracle, test.samples.batch(), expected));
  EXPECT_EQ(gradient, expected);
  EXPECT_NE(oracle, test.parameters);
  EXPECT_EQ(mine, oracle);
  EXPECT_EQ(logits(*test.theirs, mine, test.samples.batch()), logits(*test.ours, oracle, test.samples.batch()));
}

TEST(ScriptedNetwork, leaves_running_statistics_where_a_hessian_is_asked_for) {
  Normalised test;
  const auto direction = fixtures::normal_values(test.ours->layout().trainable(), 9);
  const std::vector<float> before = test.parameters;

  const auto mine = hessian_product(*test.theirs, test.parameters, test.samples.batch(), direction);

  EXPECT_EQ(test.parameters, before);
  EXPECT_LT(relative_distance(mine, hessian_product(*test.ours, test.parameters, test.samples.batch(), direction)),
            1e-6);
}

struct Dropping {
  ModelShape input = shape(4, 1, 1, 3);
  std::unique_ptr<Network> network =
      network_of(net({{"fc1", linear(4, 8)}, {"dropout", dropout(0.5)}, {"fc2", linear(8, 3)}},
                     "return self.fc2(self.dropout(torch.tanh(self.fc1(x))))"),
                 input);
  std::vector<float> parameters = initial_parameters(*network);
  Samples samples{input, 6};
  std::vector<float> gradient_at(const Batch& batch) { return loss_and_gradient(*network, parameters, batch).gradient; }
};

TEST(ScriptedNetwork, draws_by_the_seed_of_the_step_and_by_nothing_else) {
  Dropping test;
  const Batch batch = test.samples.batch();

  const auto first = test.gradient_at(drawing(batch, 5)), other = test.gradient_at(drawing(batch, 6));
  logits(*test.network, test.parameters, batch);

  EXPECT_EQ(test.gradient_at(drawing(batch, 5)), first);
  EXPECT_NE(other, first);
  EXPECT_NE(test.gradient_at(batch), first);
}

TEST(ScriptedNetwork, has_the_gradient_and_hessian_of_the_loss_with_what_was_drawn) {
  Dropping test;
  const Batch batch = drawing(test.samples.batch(), 11);
  auto direction = fixtures::normal_values(test.parameters.size(), 4);
  const auto length = static_cast<float>(norm(direction));
  for (float& value : direction) value /= length;
  constexpr float step = 1e-2F;
  const auto at = [&](float times) {
    auto moved = test.parameters;
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += times * direction[i];
    return loss_and_gradient(*test.network, moved, batch);
  };

  const auto above = at(step), below = at(-step), here = at(0.0F);
  std::vector<float> bend(direction.size());
  for (std::size_t i = 0; i < bend.size(); ++i) bend[i] = (above.gradient[i] - below.gradient[i]) / (2.0F * step);

  EXPECT_NEAR((above.loss - below.loss) / (2.0 * step), fixtures::dot(here.gradient, direction), 1e-4);
  EXPECT_LT(relative_distance(hessian_product(*test.network, test.parameters, batch, direction), bend), 1e-3);
}

TEST(ScriptedNetwork, is_differentiated_without_dropout_where_nothing_is_drawn) {
  Dropping test;
  const auto plain = network_of(
      net({{"fc1", linear(4, 8)}, {"fc2", linear(8, 3)}}, "return self.fc2(torch.tanh(self.fc1(x)))"), test.input);

  EXPECT_EQ(test.gradient_at(test.samples.batch()),
            loss_and_gradient(*plain, test.parameters, test.samples.batch()).gradient);
}

TEST(ScriptedNetwork, has_one_tensor_where_the_module_shares_one) {
  torch::jit::Module first = linear(3, 3), second = linear(3, 3);
  second.setattr("weight", first.attr("weight"));
  const ModelShape input = shape(3, 1, 1, 3);
  const auto tied =
      network_of(net({{"fc1", first}, {"fc2", second}}, "return self.fc2(torch.relu(self.fc1(x)))"), input);
  const auto apart = network_of(
      net({{"fc1", linear(3, 3)}, {"fc2", linear(3, 3)}}, "return self.fc2(torch.relu(self.fc1(x)))"), input);
  const auto parameters = initial_parameters(*tied);
  const Samples samples(input, 4);
  auto doubled = parameters;  // fc1.weight, fc1.bias, fc2.weight, fc2.bias
  doubled.insert(doubled.begin() + 12, parameters.begin(), parameters.begin() + 9);

  EXPECT_THAT(names_of(*tied), ElementsAre("fc1.weight", "fc1.bias", "fc2.bias"));
  const auto gradient = loss_and_gradient(*tied, parameters, samples.batch()).gradient;
  const auto parts = loss_and_gradient(*apart, doubled, samples.batch()).gradient;
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(gradient[i], parts[i] + parts[12 + i], 1e-6);
  EXPECT_EQ(gradient[13], parts[22]);
}

TEST(ScriptedNetwork, trains_what_needs_a_gradient_and_keeps_the_rest) {
  torch::jit::Module frozen = linear(3, 3), unused = linear(2, 2);
  frozen.attr("weight").toTensor().requires_grad_(false);
  const ModelShape input = shape(3, 1, 1, 3);
  const auto network = network_of(net({{"fc1", frozen}, {"fc2", unused}}, "return self.fc1(x)"), input);
  auto parameters = initial_parameters(*network);
  const Samples samples(input, 4);

  const auto gradient = loss_and_gradient(*network, parameters, samples.batch()).gradient;

  EXPECT_THAT(names_of(*network), ElementsAre("fc1.bias", "fc2.weight", "fc2.bias", "fc1.weight"));
  EXPECT_EQ(network->layout().trainable(), 9U);
  EXPECT_GT(norm(std::span(gradient).first(3)), 0.0);
  EXPECT_EQ(norm(std::span(gradient).subspan(3)), 0.0);
}

TEST(ScriptedNetwork, reads_texts_as_whole_numbers) {
  torch::jit::Module words = scripts::layer("Embedding");
  words.register_parameter("weight", scripts::parameter({9, 4}), false);
  words.define("def forward(self, x):\n  return torch.embedding(self.weight, x)\n");
  const ModelShape input{.input = {5, 1, 1}, .classes = 2, .vocabulary = 9};
  const auto network = network_of(
      net({{"words", words}, {"fc", linear(4, 2)}}, "return self.fc(torch.mean(self.words(x), [1]))"), input);
  const auto parameters = initial_parameters(*network);
  const std::vector<float> tokens{1, 2, 3, 4, 8, 1, 2, 3, 4, 8}, noise{1.4F, 2, 3, 4, 99, 1, 2.9F, 3, 4, 8};
  const Batch as_told{.features = tokens, .samples = 2}, as_noise{.features = noise, .samples = 2};

  EXPECT_EQ(logits(*network, parameters, as_noise), logits(*network, parameters, as_told));
}

TEST(ScriptedNetwork, begins_with_the_values_of_the_file) {
  const auto network = network_of(net({{"fc", linear(4, 3)}}, "return self.fc(x)"), shape(4, 1, 1, 3));
  const at::Tensor weight = scripts::some_values({12});
  const auto parameters = initial_parameters(*network);

  EXPECT_TRUE(std::equal(parameters.begin(), parameters.begin() + 12, weight.data_ptr<float>()));
}

TEST(ScriptedNetwork, counts_the_products_of_convolutions_and_what_they_hold) {
  const Normalised test;
  const Footprint small = test.theirs->footprint(10, 10), large = test.theirs->footprint(20, 40);

  EXPECT_DOUBLE_EQ(test.theirs->forward_flops(), 2.0 * (2 * 9 * 4 * 9 + 36 * 3));
  EXPECT_EQ(test.theirs->forward_flops(), test.ours->forward_flops());
  // At least the outputs of the convolution and of what follows it, which the way back needs.
  EXPECT_GT(small.at(Moment::training), 10.0 * 3 * 36 * sizeof(float));
  EXPECT_LT(small.at(Moment::training), 10.0 * 100 * 36 * sizeof(float));
  EXPECT_GT(large.at(Moment::training), 1.5 * small.at(Moment::training));
  EXPECT_DOUBLE_EQ(large.at(Moment::testing), 4.0 * small.at(Moment::testing));
}

}  // namespace
}  // namespace souk::scripted_network_test
