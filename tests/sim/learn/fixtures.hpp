#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "scenarios/learning.pb.h"
#include "sim/learn/architecture.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/torch_network.hpp"

namespace souk::fixtures {

/// A message from proto text.
template <class Message>
Message parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

inline scenario::Model model(const std::string& text) { return parse<scenario::Model>(text); }

inline ModelShape shape(std::size_t channels, std::size_t height, std::size_t width, int classes) {
  return {.input = {channels, height, width}, .classes = classes};
}

inline Stream stream(std::uint32_t lane = 0) {
  return Stream(7, StreamKey{Purpose::dataset, nobody, RoundIndex{0}, static_cast<std::uint16_t>(lane)});
}

inline std::vector<float> normal_values(std::size_t size, std::uint32_t lane) {
  Stream random = stream(lane);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

/// Samples in memory, with normal features and uniform labels.
struct Samples {
  Samples(const ModelShape& of, std::size_t count, std::uint32_t lane = 1)
      : features(normal_values(count * of.input[0] * of.input[1] * of.input[2], lane)), labels(count) {
    Stream random = stream(lane + 1000);
    for (std::int32_t& label : labels) {
      label = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(of.classes)));
    }
  }
  Batch batch() const { return {.features = features, .labels = labels, .samples = labels.size()}; }
  std::vector<float> features;
  std::vector<std::int32_t> labels;
};

inline std::shared_ptr<const Objective> cross_entropy() { return make_objective({}, true); }

inline std::vector<float> initial_parameters(const Network& network) {
  std::vector<float> parameters(network.layout().dimension());
  Stream random(7, StreamKey{Purpose::weight_init, nobody, RoundIndex{0}});
  network.initialise(random, parameters);
  return parameters;
}

struct LossAndGradient {
  double loss;
  std::vector<float> gradient;
};

inline LossAndGradient loss_and_gradient(Network& network, std::vector<float> parameters, const Batch& batch) {
  LossAndGradient result{.loss = 0.0, .gradient = std::vector<float>(network.layout().trainable())};
  result.loss = network.gradient(parameters, batch, result.gradient);
  return result;
}

inline std::vector<float> logits(Network& network, std::span<const float> parameters, const Batch& batch) {
  std::vector<float> out(batch.samples * static_cast<std::size_t>(network.shape().classes));
  network.outputs(parameters, batch, out);
  return out;
}

inline double norm(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

inline double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// |a - b| / |b|.
inline double relative_distance(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum) / norm(b);
}

}  // namespace souk::fixtures
