#pragma once

#include <cstdint>
#include <span>

#include "attacks/knowledge.hpp"

namespace souk {

/// Independent uniform numbers in [0, 1) for a row laid out like those of `like`: the stream is named by agent, round,
/// panel and `lane`, so that the bits do not depend on the number of ranks. lane < 256.
void fill_uniform(const PublicRound& round, AgentId agent, std::uint16_t lane, const ColumnMatrix& like,
                  std::span<float> values);

}  // namespace souk
