#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/data/graphs/more_edges.hpp"
#include "sim/learn/graphs/edge_slopes.hpp"
#include "sim/learn/graphs/graph_network.hpp"
#include "sim/learn/graphs/receptive_field.hpp"
#include "sim/learn/local_trainer.hpp"
#include "sim/learn/task.hpp"

namespace souk {

/// Classes of a graph's nodes. Units are nodes with a class. Networks see the edges and features of all nodes, whoever
/// holds them; while training, if the graph says so, those of the trainer's own units alone. What a mini-batch computes
/// is bounded by the nodes that its answers depend on. Quality is accuracy; a tally is that of class_tally.hpp.
class NodeClassification final : public Task {
 public:
  NodeClassification(const scenario::Task& config, const Dataset& train, const Dataset& test, const Graph& graph,
                     const std::string& device);

  const ParameterLayout& layout() const override { return network_.layout(); }
  void initialise(Stream& random, std::span<float> parameters) const override {
    network_.initialise(random, parameters);
  }
  std::size_t units(Split split) const override { return nodes_of(split).size(); }
  int classes() const override { return train_.classes(); }
  using Task::labels;
  std::span<const std::int32_t> labels(Split split) const override {
    return split == Split::train ? train_.labels() : test_.labels();
  }
  LocalResult train(std::span<const float> global, UnitSet mine, const BatchEdit& edit, const LocalContext& context,
                    std::span<float> update) override;
  double gradient(std::span<float> parameters, UnitSet which, std::span<float> gradient,
                  const BatchEdit& edit = {}) override;
  void hessian_vector(std::span<const float> parameters, UnitSet which, std::span<const float> direction,
                      std::span<float> out, const BatchEdit& edit = {}) override;
  std::size_t tally_size() const override;
  void tally(std::span<const float> parameters, Split split, UnitSet which, std::span<double> sums,
             const BatchEdit& edit = {}) override;
  std::span<const float> outputs() const override { return outputs_; }
  Scores scores(std::span<const double> sums) const override;
  const char* quality_name() const override { return "accuracy"; }
  /// A pass over all nodes, shared out to the training units.
  double forward_flops() const override;
  Footprint footprint(std::size_t trained, std::size_t tested) const override;
  std::size_t reach() const override { return network_.hops(); }
  void data_changed() override;

  NodeClassification* nodes() override { return this; }
  const Graph& graph() const { return graph_; }
  const GraphNetwork& network() const { return network_; }
  /// Derivatives of the mean loss of training units by weights of edges between their nodes that are not there, as who
  /// trains on them alone sees the graph; `more`: as LocalContext has it. Contract: EdgeSlopes::has(network).
  EdgeSlopes edge_slopes(std::span<const float> parameters, UnitSet which, std::span<const Edge> more);

  void answer_through(std::span<const AnswerChange* const> changes) override;
  /// Logits [nodes, classes] of all nodes, changed. They stay for the next call with the same parameters.
  std::span<const float> logits(std::span<const float> parameters);

 private:
  /// Mini-batches of nodes.
  class NodeLearner final : public Learner {
   public:
    explicit NodeLearner(NodeClassification& task) : task_(task) {}
    const ParameterLayout& layout() const override { return task_.layout(); }
    double gradient(std::span<float> parameters, const MiniBatch& batch, std::span<float> gradient) override;
    double validation_loss(std::span<const float> parameters) override;

   private:
    friend class NodeClassification;
    const ReceptiveField& field_of(const MiniBatch& batch);
    NodeClassification& task_;
    UnitSet seen_;                              ///< by who trains; empty: all nodes are
    std::optional<Stream> dropout_, sampling_;  ///< of the pass
  };

  std::span<const NodeIndex> nodes_of(Split split) const {
    return split == Split::train ? graph_.train_nodes : graph_.test_nodes;
  }
  FeatureScaling scaling() const;
  Graph with_edges(const MoreEdges& edges) const;
  void see(const Graph& graph);
  std::span<const float> own_logits(std::span<const float> parameters);
  void ask_about_all(std::span<const float> parameters, std::span<float> logits);
  void check_training(const scenario::Training& training) const;
  void add_weight_decay(std::span<const float> parameters, std::span<float> gradient) const;
  /// Of training units, in ascending order: who trains on all of its units at once has one field for all passes.
  /// `within`: units whose nodes alone are seen; empty: all nodes are.
  const ReceptiveField& field_of(UnitSet which, UnitSet within = {});
  std::vector<NodeIndex> nodes_of(UnitSet which) const;
  std::span<const std::int32_t> labels_of(Split split, UnitSet which, const BatchEdit& edit = {});
  LayerSize whole() const;

  const Dataset& train_;
  const Dataset& test_;
  const Graph& graph_;
  const Graph* seen_graph_ = &graph_;  ///< in training: the graph, or the one with more edges
  std::vector<float> row_factors_;
  std::vector<std::uint32_t> sampled_neighbours_;  ///< [hops] of a mini-batch; empty: all
  std::vector<float> layer_weight_decay_;          ///< [layers]; empty: none of their own
  std::shared_ptr<const Objective> objective_;
  GraphNetwork network_;
  NodeLearner learner_;
  LocalTrainer trainer_;
  std::unique_ptr<ReceptiveField> field_, all_;
  std::vector<SampleIndex> units_of_field_, units_within_;
  std::vector<std::int32_t> labels_;
  std::vector<float> logits_, parameters_of_logits_, outputs_;
  std::vector<const AnswerChange*> changes_;
  std::vector<float> changed_logits_, parameters_of_changed_;
  std::vector<double> losses_;
};

}  // namespace souk
