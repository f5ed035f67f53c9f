#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "attacks/known_pairs.hpp"
#include "attacks/read_answers.hpp"
#include "sim/data/graphs/own_graph.hpp"

namespace souk::scenario {
class ShadowGraph;
class Task;
}  // namespace souk::scenario

namespace souk {

/// A graph of an attacker's own, of which it knows all: what a network answers about it, and which pairs are edges.
class ShadowGraph {
 public:
  /// Reads it. `seed`: of the attack's own draws. Throws InputError.
  ShadowGraph(const scenario::ShadowGraph& config, std::uint64_t seed);
  const Graph& graph() const { return own_.graph(); }
  /// Throws InputError where a network built and trained by this task does not fit.
  void check(const scenario::Task& design) const;
  /// Trains a network by this task on all training nodes and asks it about all nodes; `shape` turns logits [classes]
  /// into what it tells.
  ReadAnswers answers(const scenario::Task& design, const std::function<void(std::span<double>)>& shape) const;
  /// All edges, and as many pairs that are none, or all of these where there are fewer.
  KnownPairs pairs() const;
  double bytes() const { return own_.bytes(); }

 private:
  std::uint64_t seed_;  ///< of its network's training, and of the pairs
  std::uint32_t passes_;
  OwnGraph own_;
};

}  // namespace souk
