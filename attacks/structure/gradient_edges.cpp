#include <algorithm>
#include <utility>

#include "attacks/structure/own_pairs.hpp"
#include "scenarios/structure_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Greedy, by first derivatives: Souk's own form.
class GradientEdges final : public InsertsShare<scenario::GradientEdges> {
 public:
  using InsertsShare::InsertsShare;

  void check(const GraphNetwork& network) const override {
    SOUK_REQUIRE(EdgeSlopes::has(network.architecture()),
                 "gradient_edges: takes derivatives of layers that weigh neighbours by 1 / sqrt((d_i + 1) (d_j + 1)), "
                 "and the network {} has others",
                 network.name());
  }
  bool is_anew() const override { return true; }

  std::vector<Edge> choose(const StructureView& view) const override {
    const std::size_t wanted = budget(view.graph, view.own);
    Stream draws(view.seed, streams::inserted_edges(view.member, view.round));
    const std::size_t looked_at = std::max<std::size_t>(config_.candidates(), wanted);
    std::vector<Edge> candidates = OwnPairs(view.graph, view.own, config_.joins()).draw(looked_at, draws);
    std::ranges::sort(candidates);
    std::vector<Edge> chosen;
    while (chosen.size() < wanted) {
      const std::size_t count = std::min<std::size_t>(config_.at_once(), wanted - chosen.size());
      move_steepest(view.slopes(chosen), count, candidates, chosen);
      heartbeat::beat();
    }
    return chosen;
  }

 private:
  /// From candidates, which stay in order, to the chosen; of equal ones the first.
  static void move_steepest(const EdgeSlopes& slopes, std::size_t count, std::vector<Edge>& candidates,
                            std::vector<Edge>& chosen) {
    std::vector<std::pair<double, Edge>> order;  // smallest first: negative slopes
    for (const Edge& pair : candidates) order.emplace_back(-slopes.of(pair.first, pair.second), pair);
    std::ranges::partial_sort(order, order.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      chosen.push_back(order[i].second);
      candidates.erase(std::ranges::lower_bound(candidates, order[i].second));
    }
  }
};

const Register<StructureAttack, GradientEdges, scenario::GradientEdges> register_gradient_edges;

}  // namespace
}  // namespace souk
