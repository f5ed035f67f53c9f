#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "sim/data/dataset.hpp"
#include "sim/data/graphs/edited_graph.hpp"

namespace souk::scenario {
class Task;
}

namespace souk {

class GraphNetwork;
struct FeatureScaling;

/// Rows of inputs that are no node's: what an added node may be given.
enum class ExtraInput : std::uint8_t { zero, mean, median };

/// A trained graph network that answers about the nodes of a graph that changes. One per rank; calls are not reentrant.
/// An answer has the same bits in whatever company it is asked for, and costs what it depends on.
class ServedNetwork {
 public:
  virtual ~ServedNetwork() = default;
  /// [parameters] From now on the network's. Called before anything is asked.
  virtual void take(std::span<const float> parameters) = 0;
  virtual std::size_t classes() const = 0;
  /// How far away what an answer depends on may be.
  virtual std::size_t hops() const = 0;
  /// Logits [targets, classes] of nodes that differ.
  virtual void logits(const EditedGraph& graph, std::span<const NodeIndex> targets, std::span<double> out) = 0;
  /// What a node with such features reads. `mean`, `median`: of every feature over all nodes, as the network reads
  /// them.
  virtual NodeSource extra(ExtraInput kind) = 0;
  /// The node whose features, as the network reads them, are nearest to the mean of all (Euclidean; ties: the first).
  virtual NodeIndex typical() = 0;
  /// How it is built, and how stored features become what it reads: beside the parameters, all that there is to know.
  virtual const GraphNetwork& network() const = 0;
  virtual const FeatureScaling& scaling() const = 0;
  /// Bytes that it comes to hold.
  virtual double bytes() const = 0;
};

/// The network of a task over the nodes of its graph, which answers in double or in single precision. Everything given
/// must outlive it. Throws InputError.
std::unique_ptr<ServedNetwork> make_served_network(const scenario::Task& task, const Dataset& train, const Graph& graph,
                                                   bool in_double);

}  // namespace souk
