#include "attacks/label_estimate.hpp"

#include <algorithm>
#include <cmath>

#include "attacks/softmax_of.hpp"
#include "sim/data/deal_tools.hpp"
#include "sim/params/dot.hpp"

namespace souk {
namespace {

void add_to_row(std::span<const double> shares, std::span<double> row) {
  for (std::size_t c = 0; c < row.size(); ++c) row[c] += shares[c];
}

/// min over k >= 0 of k^T A k - 2 b^T k, A positive semidefinite, [n, n].
std::vector<double> non_negative_minimum(std::span<const double> a, std::span<const double> b) {
  constexpr int sweeps_max = 20000;
  constexpr double still = 1e-12;
  const std::size_t n = b.size();
  std::vector<double> k(n, 0.0);
  for (int sweep = 0; sweep < sweeps_max; ++sweep) {
    double moved = 0.0, size = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      const double slope = b[i] - dot(a.subspan(i * n, n), k);
      const double next = std::max(0.0, k[i] + slope / a[i * n + i]);
      moved = std::max(moved, std::abs(next - k[i]));
      k[i] = next;
      size = std::max(size, next);
    }
    if (moved <= still * size) break;
  }
  return k;
}

}  // namespace

MeanAnswers mean_answers(Network& network, std::span<const float> parameters, std::span<const float> features,
                         std::span<const std::int32_t> labels) {
  const std::size_t classes = network.shape().outputs();
  std::vector<float> logits(labels.size() * classes);
  network.outputs(parameters, {.features = features, .samples = labels.size()}, logits);
  MeanAnswers means(classes * classes, 0.0);
  std::vector<double> samples(classes, 0.0), row(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    std::copy_n(logits.begin() + static_cast<std::ptrdiff_t>(i * classes), classes, row.begin());
    add_to_row(softmax_of(row), std::span(means).subspan(label * classes, classes));
    samples[label] += 1.0;
  }
  for (std::size_t c = 0; c < classes; ++c) {
    for (double& share : std::span(means).subspan(c * classes, classes)) {
      share = samples[c] > 0.0 ? share / samples[c] : 1.0 / static_cast<double>(classes);
    }
  }
  return means;
}

MeanAnswers answers_to_embeddings(const LastLayerGradient& gradient, std::span<const float> weights,
                                  std::span<const float> biases) {
  const std::size_t classes = gradient.classes(), inputs = gradient.inputs();
  MeanAnswers answers;
  std::vector<double> logits(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    const auto slope = static_cast<double>(gradient.biases[c]);
    for (std::size_t o = 0; o < classes; ++o) {
      double product = 0.0;
      for (std::size_t j = 0; j < inputs; ++j) {
        product += static_cast<double>(weights[o * inputs + j]) * static_cast<double>(gradient.weights[c * inputs + j]);
      }
      logits[o] = (slope == 0.0 ? 0.0 : product / slope) + static_cast<double>(biases[o]);
    }
    const std::vector<double> shares = softmax_of(logits);
    answers.insert(answers.end(), shares.begin(), shares.end());
  }
  return answers;
}

std::vector<double> counts_by_answers(const LastLayerGradient& gradient, std::span<const double> answers) {
  constexpr double weight_of_sum = 100.0;
  const std::size_t n = gradient.classes();
  const auto samples = static_cast<double>(gradient.samples);
  std::vector<double> matrix(n * n);  // M = P^T - I
  for (std::size_t c = 0; c < n; ++c) {
    for (std::size_t k = 0; k < n; ++k) matrix[c * n + k] = answers[k * n + c] - (c == k ? 1.0 : 0.0);
  }
  std::vector<double> normal(n * n, weight_of_sum), right(n, weight_of_sum * samples);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < n; ++c) {
      for (std::size_t j = 0; j < n; ++j) normal[i * n + j] += matrix[c * n + i] * matrix[c * n + j];
      right[i] += matrix[c * n + i] * samples * static_cast<double>(gradient.biases[c]);
    }
  }
  return non_negative_minimum(normal, right);
}

std::vector<double> counts_by_prior(const LastLayerGradient& gradient, std::span<const double> mean_answer) {
  std::vector<double> counts;
  for (std::size_t c = 0; c < gradient.classes(); ++c) {
    counts.push_back(std::max(
        0.0, static_cast<double>(gradient.samples) * (mean_answer[c] - static_cast<double>(gradient.biases[c]))));
  }
  return counts;
}

std::vector<double> counts_by_signs(const LastLayerGradient& gradient) {
  std::vector<double> counts;
  for (const float slope : gradient.biases) counts.push_back(slope < 0.0F ? 1.0 : 0.0);
  if (std::ranges::find(counts, 1.0) == counts.end()) {
    counts[static_cast<std::size_t>(std::ranges::min_element(gradient.biases) - gradient.biases.begin())] = 1.0;
  }
  return counts;
}

std::vector<double> counts_by_row_sums(const LastLayerGradient& gradient) {
  const std::size_t classes = gradient.classes(), inputs = gradient.inputs();
  std::vector<double> sums(classes, 0.0), counts(classes, 0.0);
  double negative = 0.0;
  for (std::size_t c = 0; c < classes; ++c) {
    for (const float slope : gradient.weights.subspan(c * inputs, inputs)) sums[c] += static_cast<double>(slope);
    negative += std::min(sums[c], 0.0);
  }
  const double impact = negative / static_cast<double>(gradient.samples) * (1.0 + 1.0 / static_cast<double>(classes));
  std::size_t left = gradient.samples;
  const auto take = [&](std::size_t c) {
    counts[c] += 1.0;
    sums[c] -= impact;
    --left;
  };
  for (std::size_t c = 0; c < classes && left > 0; ++c) {
    if (sums[c] < 0.0) take(c);
  }
  while (left > 0) take(static_cast<std::size_t>(std::ranges::min_element(sums) - sums.begin()));
  return counts;
}

std::vector<double> whole_counts(std::span<const double> counts, std::size_t samples) {
  std::vector<double> shares(counts.begin(), counts.end());
  if (std::ranges::all_of(shares, [](double share) { return !(share > 0.0); })) shares.assign(shares.size(), 1.0);
  const std::vector<std::size_t> whole = apportion(samples, shares);
  return {whole.begin(), whole.end()};
}

}  // namespace souk
