#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace souk::scenario {
class LearnedWeights;
}

namespace souk {

/// The weighted sum of what models say, [models, out's size]; in double, in the order of models.
void weighted_answer(std::span<const float> said, const std::vector<double>& weights, std::span<float> out);

/// What models say of units whose classes are known.
struct KnownAnswers {
  std::size_t models = 0, classes = 0;
  std::span<const float> said;           ///< [models, units, classes] probabilities
  std::span<const std::int32_t> labels;  ///< [units]
};

/// What weights of models are learned by: the mean cross-entropy of the softmax of weighted probabilities, and the
/// length of the weights. GraphEraser's LBAggr, Chen et al., "Graph Unlearning", CCS 2022.
double loss_of_weights(const KnownAnswers& known, std::span<const double> weights);

/// Weights of models, [models], not negative, of sum 1: Adam on that loss from equal ones, in mini-batches whose order
/// the seed draws; after each step negative weights are 0, and all are divided by their sum (where all are 0, they are
/// equal again). Equal where there are no units.
std::vector<double> learned_weights(const scenario::LearnedWeights& config, const KnownAnswers& known,
                                    std::uint64_t seed);

}  // namespace souk
