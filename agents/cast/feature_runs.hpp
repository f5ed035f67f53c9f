#pragma once

#include <cstddef>
#include <string>

#include "sim/data/readings.hpp"

namespace souk::scenario {
class FeatureValues;
}

namespace souk {

/// Features that are set to a value, of samples with so many. Throws InputError where there are fewer; `path`: of the
/// message.
FeatureRun feature_run(const scenario::FeatureValues& values, const std::string& path, std::size_t features);

}  // namespace souk
