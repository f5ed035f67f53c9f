#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/learn/model.hpp"

namespace souk {

/// A gradient of the mean cross-entropy of some samples in the last layer of a network, which is affine.
struct LastLayerGradient {
  std::span<const float> weights;  ///< [classes, inputs]
  std::span<const float> biases;   ///< [classes]
  std::size_t samples = 0;         ///< B
  std::size_t classes() const { return biases.size(); }
  std::size_t inputs() const { return weights.size() / biases.size(); }
};

/// Mean answers [classes, classes]: row c is the softmax that samples of class c get.
using MeanAnswers = std::vector<double>;

/// Of a network, averaged over the samples of each class; classes without samples get even answers.
MeanAnswers mean_answers(Network& network, std::span<const float> parameters, std::span<const float> features,
                         std::span<const std::int32_t> labels);

/// Of class embeddings that the gradient shows, e_c = g_W[c] / g_b[c], to a last layer [classes, inputs], [classes]
/// (iLRG).
MeanAnswers answers_to_embeddings(const LastLayerGradient& gradient, std::span<const float> weights,
                                  std::span<const float> biases);

/// k >= 0 that minimises |(P^T - I) k - B g_b|^2 + 100 (sum k - B)^2, P the mean answers, [classes]; by coordinate
/// descent.
std::vector<double> counts_by_answers(const LastLayerGradient& gradient, std::span<const double> answers);

/// B (p - g_b), p the mean answer on the batch, below by 0.
std::vector<double> counts_by_prior(const LastLayerGradient& gradient, std::span<const double> mean_answer);

/// One of each class whose bias has a negative gradient; where there is none, of the smallest one (iDLG).
std::vector<double> counts_by_signs(const LastLayerGradient& gradient);

/// By row sums s_c of the weights' gradient: m = sum of the negative ones / B (1 + 1/C) is what a sample leaves in its
/// row. Each class with a negative row is taken once, then whichever row is smallest, m taken from it, until there are
/// B (LLG).
std::vector<double> counts_by_row_sums(const LastLayerGradient& gradient);

/// Whole numbers of the same proportions that add up to the number of samples, the largest remainders rounded up.
std::vector<double> whole_counts(std::span<const double> counts, std::size_t samples);

}  // namespace souk
