#include "agents/training/data_facts.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace souk {
namespace {

/// The range of the numbers to predict.
void look_at_numbers(const Dataset& train, DataFacts& facts) {
  const auto [least, largest] = std::ranges::minmax(train.numbers());
  const Scaling& scaling = train.scaling();
  facts.least_number = (least - scaling.number_shift) * scaling.number_scale;
  facts.largest_number = (largest - scaling.number_shift) * scaling.number_scale;
}

}  // namespace

DataFacts data_facts_of(const Dataset& train) {
  const std::size_t channels = train.shape().sample_shape[0];
  DataFacts facts{.classes = train.classes(),
                  .shape = train.shape().sample_shape,
                  .vocabulary = train.shape().vocabulary,
                  .shift = train.scaling().shift,
                  .scale = train.scaling().scale,
                  .low = std::vector<float>(channels),
                  .high = std::vector<float>(channels),
                  .columns = train.shape().columns};
  if (train.shape().numbers) look_at_numbers(train, facts);
  const std::size_t pixels = train.features() / channels;
  if (train.shape().element == Element::u8) {
    for (std::size_t c = 0; c < channels; ++c) {
      facts.low[c] = (0.0F - facts.shift[c]) * facts.scale[c];
      facts.high[c] = (255.0F - facts.shift[c]) * facts.scale[c];
    }
    return facts;
  }
  std::vector<float> features(train.features());
  for (SampleIndex sample = 0; sample < train.size(); ++sample) {
    train.copy_features(std::span(&sample, 1), features);
    for (std::size_t v = 0; v < features.size(); ++v) {
      const std::size_t c = v / pixels;
      const bool first = sample == 0 && v % pixels == 0;
      facts.low[c] = first ? features[v] : std::min(facts.low[c], features[v]);
      facts.high[c] = first ? features[v] : std::max(facts.high[c], features[v]);
    }
  }
  return facts;
}

}  // namespace souk
