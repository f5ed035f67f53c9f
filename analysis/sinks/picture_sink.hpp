#pragma once

#include <filesystem>
#include <memory>

#include "sim/engine/metric_sink.hpp"

namespace souk {

/// A sink that writes everything to `inner` and, after it, pictures of a round to files NAME.png in `directory`, small
/// ones magnified.
std::unique_ptr<MetricSink> with_pictures(MetricSink& inner, const std::filesystem::path& directory);

}  // namespace souk
