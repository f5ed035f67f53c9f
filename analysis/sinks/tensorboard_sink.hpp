#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "sim/engine/metric_sink.hpp"

namespace souk {

/// A sink that writes everything to `inner` and, after it, the federation's metrics as scalars to a TensorBoard event
/// file in `directory` (records of length and data, each with a masked CRC32C). Metrics of single agents stay out.
std::unique_ptr<MetricSink> with_tensorboard(MetricSink& inner, const std::filesystem::path& directory);

/// CRC-32C (Castagnoli), as in RFC 3720, appendix B.4.
std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace souk
