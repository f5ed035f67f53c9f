#include "sim/learn/row_learner.hpp"

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {

RowLearner::RowLearner(const scenario::Training& training, Network& network, const Dataset& data)
    : network_(network),
      data_(data),
      augmenter_(training.augmentation().flip(), training.augmentation().crop_padding(), network.shape().input) {
  SOUK_EXPECT(data.features() == network.shape().inputs() && data.classes() == network.shape().classes);
}

Batch RowLearner::load(const MiniBatch& batch) {
  const std::size_t samples = batch.which.size(), values = samples * data_.features();
  if (batch.begins_pass) {
    augmentation_.emplace(batch.seed, streams::augmentation(batch.agent, batch.round, batch.pass));
    draws_.emplace(batch.seed, streams::dropout(batch.agent, batch.round, batch.pass));
  }
  features_.reserve(values);
  const std::span<float> features(features_.data(), values);
  data_.copy_features(batch.which, features);
  if (data_.shape().numbers) {
    numbers_.resize(samples);
    data_.copy_numbers(batch.which, numbers_);
  } else {
    labels_.resize(samples);
    for (std::size_t i = 0; i < samples; ++i) labels_[i] = data_.labels()[batch.which[i]];
  }
  if (augmenter_.active()) augmenter_.apply(*augmentation_, features);
  if (batch.edit) {
    batch.edit({.which = batch.which, .features = features, .labels = labels_, .numbers = numbers_});
  }
  weights_.clear();
  if (!data_.weights().empty()) {
    for (const SampleIndex sample : batch.which) weights_.push_back(data_.weights()[sample]);
  }
  return {.features = features,
          .labels = labels_,
          .samples = samples,
          .numbers = numbers_,
          .draws = draws_->next_seed(),
          .weights = weights_};
}

double RowLearner::gradient(std::span<float> parameters, const MiniBatch& batch, std::span<float> gradient) {
  return network_.gradient(parameters, load(batch), gradient);
}

double RowLearner::clipped_gradients(std::span<float> parameters, const MiniBatch& batch, double bound,
                                     std::span<float> sum) {
  return network_.clipped_gradients(parameters, load(batch), bound, sum);
}

double RowLearner::descend(std::span<float> parameters, const MiniBatch& batch, double learning_rate,
                           double weight_decay) {
  return network_.descend(parameters, load(batch), learning_rate, weight_decay);
}

}  // namespace souk
