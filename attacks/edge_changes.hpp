#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attacks/edge_attack.hpp"

namespace souk {

/// How answers moved: of the attacker's node beside the target, and of one beside the candidate.
struct AnswerChanges {
  std::vector<double> at_target, at_candidate;
};

/// A node with such features beside `node`; nothing where the edge was refused.
template <class View>
std::optional<NodeIndex> add_beside(const View& view, scenario::AddedFeatures features, NodeIndex node) {
  const NodeIndex own = view.add(features);
  if (!view.connect(own, node)) return std::nullopt;
  return own;
}

/// Base of attacks that watch a node of the attacker's beside the target, the same for all candidates. `Config` says
/// which features such nodes have.
template <class Config, class... Grants>
class WatchTarget : public TryWith<Grants...> {
 public:
  using View = typename TryWith<Grants...>::View;
  explicit WatchTarget(const Config& config) : config_(config) {}
  bool approach(const View& view, NodeIndex target) override {
    target_ = target;
    beside_target_ = add_beside(view, config_.features(), target);
    return beside_target_.has_value();
  }

 protected:
  Config config_;
  NodeIndex target_ = 0;
  std::optional<NodeIndex> beside_target_;
};

/// A sentence about a delta so small that features times `factor` are what they were; empty: it is not.
std::string vanishing(const std::string& attack, double delta, double factor, bool in_double);

/// (after - before) / delta.
std::vector<double> change(std::span<const double> before, std::span<const double> after, double delta);

/// Changes of two nodes' answers over some ticks, one behind the other: what INF-DIR* and passive observation compare.
struct ChangeSeries {
  std::vector<double> first, second;
  /// Appends how far answers [watched nodes, classes] moved from `before`: of the nodes with these places among them.
  void append(std::span<const double> before, std::span<const double> now, std::size_t classes, std::size_t first_place,
              std::size_t second_place);
};

/// GNNBleed's static protocol: two nodes beside the candidate, of which the first one's features grow by a share of
/// themselves; a tick passes between the two observations. Nothing where an edge was refused.
std::optional<AnswerChanges> influence_of_own_node(const ServiceView<OwnNodes>& view, scenario::AddedFeatures features,
                                                   NodeIndex beside_target, NodeIndex candidate, double delta);

}  // namespace souk
