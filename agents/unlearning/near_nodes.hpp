#pragma once

#include <span>
#include <vector>

#include "agents/unlearning/operator.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk {

/// Nodes about which a request changes answers, in the graph before it. All ascend.
struct NearNodes {
  std::vector<NodeIndex> touched;  ///< that go, whose unit or features go, or at the end of an edge that does
  std::vector<NodeIndex> within;   ///< as many edges away from those as the network feels, themselves among them
  std::vector<SampleIndex> stay;   ///< training units whose nodes are within and not touched
};
NearNodes near_nodes(const ForgettingCase& request);

/// Logits about all nodes of a graph, [nodes, classes], as who tests the server's model would hear them.
class NodeAnswers {
 public:
  /// `task`: of the graph. Collective.
  NodeAnswers(const ModelServer& server, Task& task);
  std::span<const float> about(NodeIndex node) const { return std::span(logits_).subspan(node * classes_, classes_); }
  std::size_t classes() const { return classes_; }

 private:
  std::size_t classes_;
  std::vector<float> logits_;
};

}  // namespace souk
