#include "sim/data/readings.hpp"

#include "sim/base/contract.hpp"
#include "sim/data/dataset.hpp"

namespace souk {

std::shared_ptr<const RevisedRows> revised_rows(const Dataset& stored, const Readings& readings) {
  RevisedRows rows;
  bool revised = false;
  for (const auto& [sample, reading] : readings) {
    SOUK_EXPECT(sample < stored.size());
    if (reading.label) {
      SOUK_EXPECT(*reading.label >= 0 && *reading.label < stored.classes());
      if (rows.labels.empty()) rows.labels.assign(stored.labels().begin(), stored.labels().end());
      rows.labels[sample] = *reading.label;
    }
    if (reading.weight != 1.0) {
      if (rows.weights.empty()) rows.weights.assign(stored.size(), 1.0F);
      rows.weights[sample] = static_cast<float>(reading.weight);
    }
    for (const FeatureRun& run : reading.features) SOUK_EXPECT(run.first + run.count <= stored.features());
    if (!reading.features.empty()) rows.features[sample] = reading.features;
    revised = revised || reading.label || reading.weight != 1.0 || !reading.features.empty();
  }
  return revised ? std::make_shared<const RevisedRows>(std::move(rows)) : nullptr;
}

}  // namespace souk
