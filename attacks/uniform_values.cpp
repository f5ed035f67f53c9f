#include "attacks/uniform_values.hpp"

#include "sim/base/streams.hpp"

namespace souk {

void fill_uniform(const PublicRound& round, AgentId agent, std::uint16_t lane, const ColumnMatrix& like,
                  std::span<float> values) {
  for (const Panel& panel : like.panels()) {
    Stream random(round.seed, streams::update_values(agent, round.round, lane, panel.index));
    for (float& value : values.subspan(panel.offset, panel.columns.size())) value = random.uniform_float();
  }
}

}  // namespace souk
