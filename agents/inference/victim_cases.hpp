#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/inference/asked_samples.hpp"
#include "agents/inference/claim_scorer.hpp"
#include "agents/training/server_round.hpp"
#include "attacks/inference_attack.hpp"

namespace souk::scenario {
class InferenceAttack;
}

namespace souk {

/// A victim, as an attack's settings show it.
struct VictimCase {
  std::vector<std::size_t> rows;  ///< of the round's updates behind what is seen, the victim's first
  std::vector<double> shares;     ///< of each in it
  std::vector<Member> members;    ///< what is granted of whose they are
  HiddenSamples hidden;           ///< what is not
  std::size_t place = 0;          ///< of the victim among the round's updates
  AskedSamples asked{};           ///< samples about which something is asked, and the truth
};

/// Rows of the round's updates that honest clients sent, ascending: who may be a victim.
std::vector<std::size_t> honest_rows(const ServerRound& round, const Population& population);

/// So many of them, drawn by the seed, ascending.
std::vector<std::size_t> drawn_victims(std::span<const std::size_t> rows, std::size_t count, std::uint64_t seed,
                                       RoundIndex round);

/// What the attack is shown of these victims. Clusters are of `honest` rows, smaller where there are fewer.
std::vector<VictimCase> victim_cases(const scenario::InferenceAttack& config, const ServerRound& round,
                                     std::span<const std::size_t> victims, std::span<const std::size_t> honest,
                                     const Federation& federation);

}  // namespace souk
