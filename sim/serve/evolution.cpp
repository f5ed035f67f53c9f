#include "sim/serve/evolution.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "scenarios/service.pb.h"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// A node of the first graph that is still there.
NodeIndex draw_present(const EditedGraph& graph, Stream& draws) {
  NodeIndex node = 0;
  do {
    node = draws.below(static_cast<std::uint32_t>(graph.first().nodes()));
  } while (graph.is_gone(node));
  return node;
}

/// A newcomer with the features of a node, beside it.
void arrive_beside(EditedGraph& graph, NodeIndex node) {
  NodeSource source = graph.source(node);
  graph.join(graph.arrive(source), node);
}

std::uint32_t share_of(double share, const EditedGraph& graph) {
  return static_cast<std::uint32_t>(std::floor(share * static_cast<double>(graph.first().nodes())));
}

}  // namespace

bool Evolution::is_still() const {
  return config_.drift() == 0 && config_.arrivals() == 0 && config_.departures() == 0 && config_.local_growth() == 0;
}

std::string Evolution::without_effect(std::size_t nodes) const {
  const auto rounds_to_none = [nodes](double share) { return share > 0 && share * static_cast<double>(nodes) < 1.0; };
  if (rounds_to_none(config_.arrivals())) return "evolution.arrivals: is less than one of the graph's nodes";
  if (rounds_to_none(config_.departures())) return "evolution.departures: is less than one of the graph's nodes";
  if (config_.centre() != scenario::Evolution::ANYWHERE && config_.local_growth() == 0) {
    return "evolution.centre: nothing grows there while local_growth is 0";
  }
  return config_.per_pair() && is_still() ? "evolution.per_pair: nothing happens to the graph" : "";
}

// What grows grows by 3/4 of local_growth in the mean, and what has grown grows, too. A mean node has one node and its
// neighbours, and theirs, within two hops.
double Evolution::bytes(const Graph& graph, std::size_t ticks) const {
  constexpr double of_node = 300.0;
  const auto nodes = static_cast<double>(graph.nodes()), steps = static_cast<double>(ticks);
  double ends = 0.0, squares = 0.0;
  for (std::size_t v = 0; v < graph.nodes(); ++v) {
    const auto degree = static_cast<double>(graph.edges.offsets[v + 1] - graph.edges.offsets[v]);
    ends += degree, squares += degree * degree;
  }
  const double near = std::min(nodes, 1.0 + (ends + squares) / nodes);
  const double grown = near * (std::pow(1.0 + 0.75 * config_.local_growth(), steps) - 1.0);
  return of_node *
         (grown + steps * (std::floor(config_.arrivals() * nodes) + std::floor(config_.departures() * nodes)));
}

void Evolution::advance(EditedGraph& graph, std::uint32_t tick, const HistoryPlace& place) const {
  if (is_still()) return;
  std::uint64_t seed = seed_;
  if (config_.per_pair()) {
    seed = Stream(seed_, streams::history(place.target, place.candidate)).next_seed();
  }
  if (config_.drift() > 0) graph.drift(seed, config_.drift());
  depart(graph, seed, tick);
  arrive(graph, seed, tick);
  if (config_.local_growth() > 0) grow(graph, seed, tick, place);
}

// At least two nodes stay, so that there is somebody left to draw.
void Evolution::depart(EditedGraph& graph, std::uint64_t seed, std::uint32_t tick) const {
  Stream draws(seed, streams::departures(tick));
  for (std::uint32_t i = share_of(config_.departures(), graph); i > 0; --i) {
    if (graph.gone() + 2 >= graph.first().nodes()) return;
    graph.remove(draw_present(graph, draws));
  }
}

void Evolution::arrive(EditedGraph& graph, std::uint64_t seed, std::uint32_t tick) const {
  Stream draws(seed, streams::arrivals(tick));
  for (std::uint32_t i = share_of(config_.arrivals(), graph); i > 0; --i) {
    arrive_beside(graph, draw_present(graph, draws));
  }
}

void Evolution::grow(EditedGraph& graph, std::uint64_t seed, std::uint32_t tick, const HistoryPlace& place) const {
  const bool at_probe = config_.centre() == scenario::Evolution::AT_PROBE;
  NodeIndex centre = place.target;
  if (config_.centre() == scenario::Evolution::AT_CANDIDATE) centre = place.candidate;
  if (at_probe) centre = place.probe;
  if (config_.centre() == scenario::Evolution::ANYWHERE) {
    Stream draws(seed, streams::growth(0xFFFFFFFF, tick));
    centre = draw_present(graph, draws);
  }
  if (graph.is_gone(centre)) return;
  // The attacker's node has another number in every trial; its candidate names its draws.
  Stream draws(seed, streams::growth(at_probe ? place.candidate : centre, tick));
  const std::vector<NodeIndex> near = within_two_hops(graph, centre, at_probe);
  const auto most = static_cast<std::uint32_t>(std::ceil(config_.local_growth() * static_cast<double>(near.size())));
  const std::uint32_t least = most / 2;
  for (std::uint32_t i = least + draws.below(most - least + 1); i > 0; --i) {
    arrive_beside(graph, near[draws.below(static_cast<std::uint32_t>(near.size()))]);
  }
}

std::vector<NodeIndex> within_two_hops(const EditedGraph& graph, NodeIndex centre, bool owned) {
  std::vector<NodeIndex> reached{centre};
  std::unordered_set<NodeIndex> seen{centre};
  for (std::size_t hop = 0, begin = 0; hop < 2; ++hop) {
    const std::size_t end = reached.size();
    for (; begin < end; ++begin) {
      for (const NodeIndex to : graph.neighbours(reached[begin])) {
        if ((owned || !graph.is_added(to)) && seen.insert(to).second) reached.push_back(to);
      }
    }
  }
  std::ranges::sort(reached);
  return reached;
}

}  // namespace souk
