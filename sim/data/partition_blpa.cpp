#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"
#include "sim/data/graphs/shards.hpp"

namespace souk {
namespace {

class BlpaPartitioner final : public Partitioner {
 public:
  explicit BlpaPartitioner(const scenario::Blpa& config) : slack_(config.slack()), passes_(config.passes()) {}

  bool by_class() const override { return false; }
  Deal deal(const DealInput& input, Stream& random) const override {
    SOUK_REQUIRE(input.edges != nullptr, "partition.blpa: deals the nodes of a graph, and the data set is none");
    const InducedEdges edges(*input.edges, input.nodes);
    const std::size_t capacity = shard_capacity(input.nodes.size(), input.agents, slack_);
    return deal_by_owner(balanced_label_propagation(edges.rows(), input.agents, capacity, passes_, random),
                         input.agents);
  }

 private:
  double slack_;
  std::size_t passes_;
};

const Register<Partitioner, BlpaPartitioner, scenario::Blpa> register_blpa_partitioner;

}  // namespace
}  // namespace souk
