#include "attacks/shadow_models.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {

ShadowSplit::ShadowSplit(std::size_t samples, std::size_t shadows, std::uint64_t seed)
    : shadows_(shadows), has_(samples * shadows, 0) {
  SOUK_EXPECT(shadows % 2 == 0);
  std::vector<double> drawn(shadows);
  std::vector<std::size_t> order(shadows);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    Stream random(seed, streams::shadows_of_sample(sample));
    for (double& value : drawn) value = random.uniform();
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t shadow) { return drawn[shadow]; });
    for (std::size_t rank = 0; rank < shadows / 2; ++rank) has_[sample * shadows + order[rank]] = 1;
  }
}

std::vector<std::uint32_t> ShadowSplit::samples_of(std::size_t shadow) const {
  std::vector<std::uint32_t> samples;
  for (std::uint32_t sample = 0; sample * shadows_ < has_.size(); ++sample) {
    if (has(shadow, sample)) samples.push_back(sample);
  }
  return samples;
}

ShadowPool::ShadowPool(const SampleTable& first, const SampleTable& second)
    : width_(first.size() > 0 ? first.features.size() / first.size() : second.features.size() / second.size()) {
  for (const SampleTable* table : {&first, &second}) {
    features_.insert(features_.end(), table->features.begin(), table->features.end());
    labels_.insert(labels_.end(), table->labels.begin(), table->labels.end());
  }
}

Batch ShadowPool::part(std::size_t first, std::size_t count) const {
  const std::size_t samples = std::min(count, size() - first);
  return {.features = std::span(features_).subspan(first * width_, samples * width_),
          .labels = std::span(labels_).subspan(first, samples),
          .samples = samples};
}

Batch ShadowPool::gathered(std::span<const std::uint32_t> samples) {
  chosen_.clear();
  chosen_labels_.clear();
  for (const std::uint32_t sample : samples) {
    const auto row = std::span(features_).subspan(sample * width_, width_);
    chosen_.insert(chosen_.end(), row.begin(), row.end());
    chosen_labels_.push_back(labels_[sample]);
  }
  return {.features = chosen_, .labels = chosen_labels_, .samples = samples.size()};
}

std::vector<float> trained_shadow(Network& network, ShadowPool& pool, const ShadowSplit& split, std::size_t shadow,
                                  const ShadowTraining& training, std::uint64_t seed,
                                  const std::function<void()>& after_step) {
  std::vector<float> parameters(network.layout().dimension()), gradient(network.layout().trainable());
  Stream first_weights(seed, streams::first_shadow_weights(shadow));
  network.initialise(first_weights, parameters);
  Stream random(seed, streams::shadow_batches(shadow));
  std::vector<std::uint32_t> order = split.samples_of(shadow);
  const auto rate = static_cast<float>(training.rate);
  for (std::size_t pass = 0; pass < training.passes; ++pass) {
    random.shuffle(order);
    for (std::size_t first = 0; first < order.size(); first += training.batch_size) {
      const std::size_t count = std::min(training.batch_size, order.size() - first);
      network.gradient(parameters, pool.gathered(std::span(order).subspan(first, count)), gradient);
      for (std::size_t v = 0; v < gradient.size(); ++v) parameters[v] -= rate * gradient[v];
      if (after_step) after_step();
    }
  }
  return parameters;
}

}  // namespace souk
