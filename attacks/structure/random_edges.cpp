#include "attacks/structure/own_pairs.hpp"
#include "scenarios/structure_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Souk's own baseline.
class RandomEdges final : public InsertsShare<scenario::RandomEdges> {
 public:
  using InsertsShare::InsertsShare;

  std::vector<Edge> choose(const StructureView& view) const override {
    Stream draws(view.seed, streams::inserted_edges(view.member, {}));
    return OwnPairs(view.graph, view.own, config_.joins()).draw(budget(view.graph, view.own), draws);
  }
};

const Register<StructureAttack, RandomEdges, scenario::RandomEdges> register_random_edges;

}  // namespace
}  // namespace souk
