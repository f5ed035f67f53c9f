#include "agents/cast/feature_runs.hpp"

#include "scenarios/unlearning.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

FeatureRun feature_run(const scenario::FeatureValues& values, const std::string& path, std::size_t features) {
  SOUK_REQUIRE(values.first() < features, "{}.first = {}: samples have {} features", path, values.first(), features);
  SOUK_REQUIRE(values.count() <= features - values.first(), "{}.count = {}: from {} on, samples have {} features", path,
               values.count(), values.first(), features - values.first());
  const auto all = static_cast<std::uint32_t>(features);
  return {.first = values.first(),
          .count = values.count() == 0 ? all - values.first() : values.count(),
          .value = static_cast<float>(values.value())};
}

}  // namespace souk
