#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "attacks/structure_attack.hpp"
#include "sim/base/random.hpp"

namespace souk::scenario {
enum JoinedNodes : int;
}

namespace souk {

/// The pairs of a member's training nodes that may become edges: those that are not joined, of different classes or
/// any.
class OwnPairs {
 public:
  /// `own`: ascending. Both must outlive it.
  OwnPairs(const Graph& graph, std::span<const NodeIndex> own, scenario::JoinedNodes joins);
  std::size_t count() const { return count_; }
  /// So many of them, or all where there are fewer, each once, the smaller node first.
  std::vector<Edge> draw(std::size_t count, Stream& draws) const;

 private:
  bool is_one(NodeIndex a, NodeIndex b) const;
  std::size_t pairs() const { return own_.size() * (own_.size() - 1) / 2; }
  std::vector<Edge> all() const;

  const Graph& graph_;
  std::span<const NodeIndex> own_;
  bool any_classes_;
  std::size_t count_ = 0;
};

/// Edges at these nodes, ascending, as far as who trains on them sees them.
std::size_t edges_at(const Graph& graph, std::span<const NodeIndex> own);

/// Base of attacks whose budget is a share of the member's own edges, which their message names.
template <class Config>
class InsertsShare : public StructureAttack {
 public:
  explicit InsertsShare(const Config& config) : config_(config) {}
  std::size_t budget(const Graph& graph, std::span<const NodeIndex> own) const override {
    const double wanted = config_.share() * static_cast<double>(edges_at(graph, own));
    const std::size_t possible = OwnPairs(graph, own, config_.joins()).count();
    return wanted + 0.5 < static_cast<double>(possible) ? static_cast<std::size_t>(wanted + 0.5) : possible;
  }

 protected:
  Config config_;
};

}  // namespace souk
