#pragma once

#include "sim/base/streams.hpp"

/// Names of streams of attacks on what updates give away, to those of streams.hpp: lanes 8 to 14 and from 0x4000 of
/// Purpose::inference_attack, lane 1 of nobody's Purpose::evaluation. `attack` counts those of the section; each round
/// has victims of its own.
namespace souk::streams {

inline StreamKey auxiliary_data() { return {Purpose::evaluation, nobody, {}, 1}; }
inline StreamKey victims(RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, detail::none, round.value, 8);
}
/// Of other samples of its class, which a reconstruction is compared with.
inline StreamKey lookalikes(std::uint32_t sample) { return detail::numbered(Purpose::inference_attack, sample, 0, 9); }
/// Of the seed that an attack's draws in a round are of.
inline StreamKey inference(std::size_t attack, RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, attack, round.value, 10);
}
/// Of such a seed, as the next: where attempts begin.
inline StreamKey attempt(AgentId victim, std::uint32_t which) {
  return detail::numbered(Purpose::inference_attack, victim.value, which, 11);
}
/// The order of mini-batches that an attempt takes for the one that was used.
inline StreamKey guessed_order(AgentId member, std::uint32_t which, std::uint32_t pass) {
  return detail::numbered(Purpose::inference_attack, member.value, which, 0x4000 + (pass & 0x3FFFU));
}
/// Of a seed: a malicious server's first layer.
inline StreamKey crafted_layer() { return detail::numbered(Purpose::inference_attack, detail::none, 0, 12); }

/// Which samples of a victim are asked about, beside which others, in which order.
inline StreamKey asked_samples(AgentId victim, RoundIndex round) {
  return detail::numbered(Purpose::inference_attack, victim.value, round.value, 13);
}
/// Of a seed: which victims are drawn for intervals.
inline StreamKey membership_intervals() { return detail::numbered(Purpose::inference_attack, detail::none, 0, 14); }

}  // namespace souk::streams
