#include "sim/data/graphs/edited_graph.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {

std::span<const NodeIndex> EditedGraph::neighbours(NodeIndex node) const {
  if (!rows_.empty()) {
    if (const auto row = rows_.find(node); row != rows_.end()) return row->second;
  }
  if (node >= first_->nodes()) return {};
  const SparseRows& edges = first_->edges;
  return edges.columns.subspan(edges.offsets[node], edges.offsets[node + 1] - edges.offsets[node]);
}

bool EditedGraph::joined(NodeIndex a, NodeIndex b) const { return std::ranges::binary_search(neighbours(a), b); }

NodeSource EditedGraph::source(NodeIndex node) const {
  const auto first = static_cast<NodeIndex>(first_->nodes());
  NodeSource source{node, 1.0};
  if (node < first) {
    source.factor = drifted(node, 0);
  } else {
    const Added& added = added_[node - first];
    source = added.source;
    if (!added.is_owned) source.factor *= drifted(first + added.arrival, added.born);
  }
  if (const auto factor = factors_.find(node); factor != factors_.end()) source.factor *= factor->second;
  return source;
}

double EditedGraph::drifted(std::uint32_t node, std::uint32_t born) const {
  double factor = 1.0;
  for (std::uint32_t drift = born + 1; drift <= drifts_; ++drift) {
    const double draw = Stream(drift_seed_, streams::drift(node, drift)).uniform();
    factor *= 1.0 + drift_range_ * (2.0 * draw - 1.0);
  }
  return factor;
}

void EditedGraph::drift(std::uint64_t seed, double range) {
  SOUK_EXPECT(drifts_ == 0 || (seed == drift_seed_ && range == drift_range_));
  drift_seed_ = seed;
  drift_range_ = range;
  ++drifts_;
}

NodeIndex EditedGraph::add(const NodeSource& source) {
  added_.push_back({.source = source});
  return static_cast<NodeIndex>(nodes() - 1);
}

NodeIndex EditedGraph::arrive(const NodeSource& source) {
  added_.push_back({.source = source, .is_owned = false, .arrival = arrivals_++, .born = drifts_});
  return static_cast<NodeIndex>(nodes() - 1);
}

std::vector<NodeIndex>& EditedGraph::own_row(NodeIndex node) {
  const auto row = rows_.find(node);
  if (row != rows_.end()) return row->second;
  const std::span<const NodeIndex> now = neighbours(node);
  return rows_.emplace(node, std::vector<NodeIndex>(now.begin(), now.end())).first->second;
}

void EditedGraph::join(NodeIndex a, NodeIndex b) {
  SOUK_EXPECT(a != b && a < nodes() && b < nodes() && !is_gone(a) && !is_gone(b));
  if (joined(a, b)) return;
  for (const auto& [at, other] : {std::pair{a, b}, std::pair{b, a}}) {
    std::vector<NodeIndex>& row = own_row(at);
    row.insert(std::ranges::lower_bound(row, other), other);
  }
}

void EditedGraph::remove(NodeIndex node) {
  SOUK_EXPECT(node < nodes());
  if (!gone_.insert(node).second) return;
  const std::vector<NodeIndex> joined(own_row(node));
  for (const NodeIndex other : joined) {
    std::vector<NodeIndex>& row = own_row(other);
    row.erase(std::ranges::lower_bound(row, node));
  }
  own_row(node).clear();
}

void EditedGraph::scale(NodeIndex node, double factor) {
  SOUK_EXPECT(node < nodes());
  const auto [entry, is_new] = factors_.emplace(node, factor);
  if (!is_new) entry->second *= factor;
}

std::vector<NodeIndex> EditedGraph::scaled() const {
  std::vector<NodeIndex> nodes;
  for (const auto& [node, factor] : factors_) nodes.push_back(node);
  std::ranges::sort(nodes);
  return nodes;
}

}  // namespace souk
