#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>
#include <vector>

#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"
#include "sim/data/graphs/communities_of.hpp"

namespace souk {
namespace {

class LouvainPartitioner final : public Partitioner {
 public:
  explicit LouvainPartitioner(const scenario::Louvain& config) : resolution_(config.resolution()) {}

  bool by_class() const override { return false; }
  Deal deal(const DealInput& input, Stream&) const override {
    SOUK_REQUIRE(input.edges != nullptr, "partition.louvain: deals the nodes of a graph, and the data set is none");
    const std::vector<std::uint32_t> of_node = louvain_communities(*input.edges, resolution_);
    std::vector<std::size_t> sizes(of_node.size());
    for (const NodeIndex node : input.nodes) ++sizes[of_node[node]];
    const std::vector<std::uint32_t> agent = agents_of(sizes, input.agents);
    std::vector<std::uint32_t> owner;
    for (const NodeIndex node : input.nodes) owner.push_back(agent[of_node[node]]);
    return deal_by_owner(owner, input.agents);
  }

 private:
  /// Of every community: the largest first, to the agent with the fewest samples; ties to the smaller number.
  static std::vector<std::uint32_t> agents_of(const std::vector<std::size_t>& sizes, std::size_t agents) {
    std::vector<std::uint32_t> order(sizes.size()), agent(sizes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, std::greater(), [&sizes](std::uint32_t c) { return sizes[c]; });
    using Held = std::pair<std::size_t, std::uint32_t>;
    std::priority_queue<Held, std::vector<Held>, std::greater<>> fewest;
    for (std::uint32_t a = 0; a < agents; ++a) fewest.emplace(0, a);
    for (const std::uint32_t c : order) {
      const auto [held, least] = fewest.top();
      fewest.pop();
      fewest.emplace(held + sizes[c], least);
      agent[c] = least;
    }
    return agent;
  }

  double resolution_;
};

const Register<Partitioner, LouvainPartitioner, scenario::Louvain> register_louvain_partitioner;

}  // namespace
}  // namespace souk
