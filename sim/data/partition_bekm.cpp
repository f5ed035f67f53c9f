#include <cmath>
#include <vector>

#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"
#include "sim/data/graphs/shards.hpp"

namespace souk {
namespace {

constexpr std::size_t most_pairs = 100'000'000;  // of 16 bytes each

/// Features of the nodes, rows scaled to length 1, [nodes, width].
std::vector<float> unit_rows(const SparseRows& features, std::span<const NodeIndex> nodes) {
  std::vector<float> rows(nodes.size() * features.width);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::uint64_t begin = features.offsets[nodes[i]], end = features.offsets[nodes[i] + 1];
    const auto value = [&](std::uint64_t e) {
      return features.values.empty() ? 1.0 : static_cast<double>(features.values[e]);
    };
    double squares = 0.0;
    for (std::uint64_t e = begin; e < end; ++e) squares += value(e) * value(e);
    if (squares == 0.0) continue;
    for (std::uint64_t e = begin; e < end; ++e) {
      rows[i * features.width + features.columns[e]] = static_cast<float>(value(e) / std::sqrt(squares));
    }
  }
  return rows;
}

/// The mean over a node and its neighbours.
std::vector<float> averaged(const SparseRows& edges, const std::vector<float>& rows, std::size_t width) {
  std::vector<float> means;
  means.reserve(rows.size());
  std::vector<double> sums(width);
  for (std::size_t v = 0; v < edges.rows(); ++v) {
    const auto add = [&](std::size_t u) {
      for (std::size_t j = 0; j < width; ++j) sums[j] += static_cast<double>(rows[u * width + j]);
    };
    sums.assign(width, 0.0);
    add(v);
    for (std::uint64_t e = edges.offsets[v]; e < edges.offsets[v + 1]; ++e) add(edges.columns[e]);
    const auto count = static_cast<double>(edges.offsets[v + 1] - edges.offsets[v] + 1);
    for (const double sum : sums) means.push_back(static_cast<float>(sum / count));
  }
  return means;
}

class BekmPartitioner final : public Partitioner {
 public:
  explicit BekmPartitioner(const scenario::Bekm& config)
      : slack_(config.slack()), passes_(config.passes()), hops_(config.hops()) {}

  bool by_class() const override { return false; }
  Deal deal(const DealInput& input, Stream& random) const override {
    SOUK_REQUIRE(input.edges != nullptr, "partition.bekm: deals the nodes of a graph, and the data set is none");
    SOUK_REQUIRE(input.agents <= input.nodes.size(), "partition.bekm: {} clients need as many nodes, and there are {}",
                 input.agents, input.nodes.size());
    SOUK_REQUIRE(
        input.nodes.size() * input.agents <= most_pairs,
        "partition.bekm: sorts the distances of {} nodes from {} clients, {} numbers, and {} are the most; take "
        "blpa",
        input.nodes.size(), input.agents, input.nodes.size() * input.agents, most_pairs);
    const InducedEdges edges(*input.edges, input.nodes);
    const std::size_t width = input.features->width;
    std::vector<float> points = unit_rows(*input.features, input.nodes);
    for (std::size_t hop = 0; hop < hops_; ++hop) points = averaged(edges.rows(), points, width);
    const std::size_t capacity = shard_capacity(input.nodes.size(), input.agents, slack_);
    return deal_by_owner(balanced_means(points, width, input.agents, capacity, passes_, random), input.agents);
  }

 private:
  double slack_;
  std::size_t passes_, hops_;
};

const Register<Partitioner, BekmPartitioner, scenario::Bekm> register_bekm_partitioner;

}  // namespace
}  // namespace souk
