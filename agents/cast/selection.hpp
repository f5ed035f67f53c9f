#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/population.hpp"
#include "sim/base/ids.hpp"
#include "sim/data/partitioner.hpp"
#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class Participants;
}

namespace souk {

/// A client asked to take part, and what becomes of it on the virtual clock.
struct Candidate {
  AgentId client;
  SelectionOutcome outcome = SelectionOutcome::spare;
  double arrival_seconds = 0.0;  ///< virtual, after the announcement; of a dropout: 0
};

struct RoundSelection {
  std::vector<Candidate> asked;   ///< ascending id
  std::vector<AgentId> accepted;  ///< those whose updates are used, ascending id
  double virtual_seconds = 0.0;   ///< until the server goes on
};

/// Work of one client in one round, for the virtual clock.
struct ClientWork {
  double flops = 0.0;
  double bytes_down = 0.0;
  double bytes_up = 0.0;
};

/// Bytes of what a client and the server send each other in a round.
struct MessageBytes {
  double model = 0.0;   ///< to the client
  double update = 0.0;  ///< from it
};

/// Whom a round may ask.
struct Invitation {
  std::size_t most = static_cast<std::size_t>(-1);  ///< wants and asks no more than this, if that is less than usual
  std::uint16_t owner = 0;                          ///< whose round it is: every owner draws clients of its own
  std::function<bool(AgentId)> eligible{};          ///< empty: everybody is
  std::function<bool(AgentId)> takes_part{};  ///< who does not is drawn like anybody, and not there; empty: all do
};

/// Chooses a round's clients: sampling, over-selection, dropouts, arrival times, deadline. All of it is decided before
/// anything is trained, from streams named by round and client, so that updates nobody would use are never computed.
class Selector {
 public:
  /// `deal` gives the weights of weighted sampling and must outlive the selector.
  Selector(const scenario::Participants& participants, std::uint64_t seed, const Population& population,
           const Deal& deal);
  /// Updates a round wants; where clients come independently of each other, expects, rounded and at least 1.
  std::size_t wanted() const { return wanted_; }
  /// Updates that a round may bring; where clients come independently, all but about one round in 1e9.
  std::size_t most() const { return most_; }
  /// Whether every client comes with the same probability, independently of the others.
  bool independent() const { return inclusion_.has_value(); }
  /// Updates expected of a round in which nobody drops out.
  double expected() const;
  /// An upper bound of the probability with which any one client is asked; of clients that take turns 1, for it is no
  /// secret whose turn it is.
  double inclusion_bound() const;
  /// Rounds between two in which a client may be asked, where those in which it may are known: 1: it may be in any; 0:
  /// they are drawn.
  std::uint64_t separation() const;
  /// Of so many rounds, those to which any one client may be asked at most.
  std::uint64_t turns(std::uint64_t rounds) const;
  RoundSelection select(RoundIndex round, const std::function<ClientWork(AgentId)>& work,
                        const Invitation& invitation = {}) const;

 private:
  std::vector<std::uint32_t> drawn(RoundIndex round, const Invitation& invitation, std::size_t asked,
                                   const std::vector<std::uint32_t>* eligible) const;
  std::vector<std::uint32_t> whose_turn(RoundIndex round, const Invitation& invitation) const;
  std::vector<std::uint32_t> sample(RoundIndex round, std::uint16_t owner, std::size_t count,
                                    const std::vector<std::uint32_t>* eligible) const;
  std::uint64_t seed_;
  const Population& population_;
  const Deal& deal_;
  bool by_samples_;
  std::optional<double> inclusion_;  ///< of each client by itself; none: a round wants a number of them
  std::size_t groups_;               ///< that take turns; 0: clients do not
  std::size_t wanted_, asked_, most_;
  double dropout_, deadline_;
};

}  // namespace souk
