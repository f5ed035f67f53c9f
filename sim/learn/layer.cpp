#include "sim/learn/layer.hpp"

#include <fmt/format.h>

#include "sim/learn/chain_stage.hpp"

namespace souk {

std::string Extent::text() const { return fmt::format("{}x{}x{}", channels, height, width); }

void Layer::initialise(Stream&, std::span<const std::span<float>>) const {}

std::unique_ptr<ChainStage> Layer::stage(ChainPlan&) const { return nullptr; }

}  // namespace souk
