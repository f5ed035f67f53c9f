#include "agents/communication/codec.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/communication.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::unique_ptr<Codec> make_codec(const scenario::Communication& config) {
  if (chosen(config, "codec") == nullptr) return nullptr;
  return PluginRegistry<Codec>::instance().create(config, "codec");
}

void require_length(std::span<const std::byte> message, std::size_t bytes) {
  SOUK_REQUIRE(message.size() == bytes, "an encoded update has {} bytes, and this one has {}", bytes, message.size());
}

std::size_t values_kept(double share, std::size_t dimension) {
  const auto kept = static_cast<std::size_t>(std::llround(share * static_cast<double>(dimension)));
  return std::clamp<std::size_t>(kept, 1, std::max<std::size_t>(dimension, 1));
}

}  // namespace souk
