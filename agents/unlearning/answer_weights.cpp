#include "agents/unlearning/answer_weights.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/adam_steps.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {
namespace {

double length_of_weights(std::span<const double> values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

/// What a model says of a unit, [classes].
std::span<const float> said_of(const KnownAnswers& known, std::size_t model, std::size_t unit) {
  return known.said.subspan((model * known.labels.size() + unit) * known.classes, known.classes);
}

/// softmax of the weighted probabilities of a unit.
std::vector<double> softened(const KnownAnswers& known, std::span<const double> weights, std::size_t unit) {
  std::vector<double> sums(known.classes);
  for (std::size_t m = 0; m < known.models; ++m) {
    const auto row = said_of(known, m, unit);
    for (std::size_t c = 0; c < known.classes; ++c) sums[c] += weights[m] * static_cast<double>(row[c]);
  }
  softmax(sums);
  return sums;
}

/// Of the loss on some units.
std::vector<double> gradient_of(const KnownAnswers& known, std::span<const double> weights,
                                std::span<const std::uint32_t> units) {
  std::vector<double> gradient(known.models);
  for (const std::uint32_t unit : units) {
    std::vector<double> slope = softened(known, weights, unit);
    slope[static_cast<std::size_t>(known.labels[unit])] -= 1.0;
    for (std::size_t m = 0; m < known.models; ++m) {
      const auto row = said_of(known, m, unit);
      for (std::size_t c = 0; c < known.classes; ++c) {
        gradient[m] += slope[c] * static_cast<double>(row[c]) / static_cast<double>(units.size());
      }
    }
  }
  const double length = length_of_weights(weights);
  for (std::size_t m = 0; m < known.models; ++m) gradient[m] += weights[m] / length;
  return gradient;
}

void to_shares(std::vector<double>& weights) {
  for (double& weight : weights) weight = std::max(weight, 0.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight = sum > 0.0 ? weight / sum : 1.0 / static_cast<double>(weights.size());
}

}  // namespace

void weighted_answer(std::span<const float> said, const std::vector<double>& weights, std::span<float> out) {
  for (std::size_t v = 0; v < out.size(); ++v) {
    double sum = 0.0;
    for (std::size_t m = 0; m < weights.size(); ++m) {
      sum += weights[m] * static_cast<double>(said[m * out.size() + v]);
    }
    out[v] = static_cast<float>(sum);
  }
}

double loss_of_weights(const KnownAnswers& known, std::span<const double> weights) {
  double sum = 0.0;
  for (std::size_t unit = 0; unit < known.labels.size(); ++unit) {
    sum -= std::log(softened(known, weights, unit)[static_cast<std::size_t>(known.labels[unit])]);
  }
  return sum / static_cast<double>(known.labels.size()) + length_of_weights(weights);
}

std::vector<double> learned_weights(const scenario::LearnedWeights& config, const KnownAnswers& known,
                                    std::uint64_t seed) {
  std::vector<double> weights(known.models, 1.0 / static_cast<double>(known.models));
  AdamSteps adam(known.models, config.learning_rate());
  std::vector<std::uint32_t> order(known.labels.size());
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t pass = 0; pass < config.passes(); ++pass) {
    Stream(seed, streams::order_of_weights(pass)).shuffle(order);
    for (std::size_t first = 0; first < order.size(); first += config.batch_size()) {
      const auto some =
          std::span(order).subspan(first, std::min<std::size_t>(config.batch_size(), order.size() - first));
      adam.step(gradient_of(known, weights, some), weights);
      to_shares(weights);
    }
  }
  return weights;
}

}  // namespace souk
