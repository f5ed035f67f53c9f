#include "sim/learn/tasks/node_classification.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/augmentation.hpp"
#include "sim/learn/tasks/class_tally.hpp"

namespace souk {
namespace {

/// What divides the features of every node by the sum of their sizes.
std::vector<float> rows_of_one(const SparseRows& features) {
  std::vector<float> factors(features.rows(), 1.0F);
  for (std::size_t v = 0; v < features.rows(); ++v) {
    double sum = 0.0;
    for (std::uint64_t e = features.offsets[v]; e < features.offsets[v + 1]; ++e) {
      sum += features.values.empty() ? 1.0 : std::abs(static_cast<double>(features.values[e]));
    }
    if (sum > 0.0) factors[v] = static_cast<float>(1.0 / sum);
  }
  return factors;
}

GraphNetwork network_for(const scenario::Task& config, const Dataset& train,
                         std::shared_ptr<const Objective> objective) {
  const GraphModelShape shape{.features = train.features(), .classes = static_cast<std::size_t>(train.classes())};
  return {make_graph_architecture(config.model(), shape), shape, std::move(objective)};
}

void check_training(const scenario::Training& training) {
  SOUK_REQUIRE(!training.augmentation().flip() && training.augmentation().crop_padding() == 0,
               "task.training.augmentation: changes images, and the samples of the data set are nodes of a graph");
}

}  // namespace

NodeClassification::NodeClassification(const scenario::Task& config, const Dataset& train, const Dataset& test,
                                       const Graph& graph, const std::string& device)
    : train_(train),
      test_(test),
      graph_(graph),
      row_factors_(train.scaling().rows ? rows_of_one(graph.features) : std::vector<float>()),
      objective_(make_objective(config.objective(), true)),
      network_(network_for(config, train, objective_)),
      learner_(*this),
      trainer_(config.training(), learner_) {
  check_training(config.training());
  SOUK_REQUIRE(device == "cpu", "--device {}: graph networks run on the processor, by kernels of their own", device);
  SOUK_EXPECT(graph.train_nodes.size() == train.size() && graph.test_nodes.size() == test.size());
}

FeatureScaling NodeClassification::scaling() const {
  const Scaling& of_columns = train_.scaling();
  return {.shift = of_columns.shift, .scale = of_columns.scale, .row_factors = row_factors_};
}

LocalResult NodeClassification::train(std::span<const float> global, UnitSet mine, const BatchEdit& edit,
                                      const LocalContext& context, std::span<float> update) {
  learner_.seen_ = graph_.own_nodes ? mine : UnitSet();
  return trainer_.train(global, mine, edit, context, update);
}

double NodeClassification::NodeLearner::gradient(std::span<float> parameters, const MiniBatch& batch,
                                                 std::span<float> gradient) {
  if (batch.begins_pass) dropout_.emplace(batch.seed, streams::dropout(batch.agent, batch.round, batch.pass));
  const ReceptiveField& field = task_.field_of(batch.which, seen_);
  std::vector<std::int32_t>& labels = task_.labels_;
  task_.labels_of(Split::train, task_.units_of_field_);
  if (batch.edit) batch.edit({.which = task_.units_of_field_, .features = {}, .labels = labels});
  return task_.network_.gradient(parameters, field, labels, gradient, &*dropout_);
}

std::vector<NodeIndex> NodeClassification::nodes_of(UnitSet which) const {
  std::vector<NodeIndex> nodes;
  for (const SampleIndex unit : which) nodes.push_back(graph_.train_nodes[unit]);
  return nodes;
}

const ReceptiveField& NodeClassification::field_of(UnitSet which, UnitSet within) {
  std::vector<SampleIndex> ordered(which.begin(), which.end());
  std::ranges::sort(ordered);
  if (field_ != nullptr && ordered == units_of_field_ && std::ranges::equal(within, units_within_)) return *field_;
  units_of_field_ = std::move(ordered);
  units_within_.assign(within.begin(), within.end());
  field_ = std::make_unique<ReceptiveField>(graph_, scaling(), nodes_of(units_of_field_), network_.hops(),
                                            nodes_of(units_within_));
  return *field_;
}

std::span<const std::int32_t> NodeClassification::labels_of(Split split, UnitSet which) {
  const auto all = labels(split);
  labels_.clear();
  for (const SampleIndex unit : which) labels_.push_back(all[unit]);
  return labels_;
}

double NodeClassification::gradient(std::span<float> parameters, UnitSet which, std::span<float> gradient) {
  const ReceptiveField& field = field_of(which);
  return network_.gradient(parameters, field, labels_of(Split::train, units_of_field_), gradient);
}

void NodeClassification::hessian_vector(std::span<const float> parameters, UnitSet which,
                                        std::span<const float> direction, std::span<float> out) {
  const ReceptiveField& field = field_of(which);
  network_.hessian_vector(parameters, field, labels_of(Split::train, units_of_field_), direction, out);
}

std::size_t NodeClassification::tally_size() const { return class_tally_size(network_.classes()); }

std::span<const float> NodeClassification::logits(std::span<const float> parameters) {
  if (!logits_.empty() && std::ranges::equal(parameters, parameters_of_logits_)) return logits_;
  if (all_ == nullptr) all_ = std::make_unique<ReceptiveField>(graph_, scaling());
  logits_.resize(graph_.nodes() * network_.classes());
  network_.outputs(parameters, *all_, graph_.nodes(), logits_);
  parameters_of_logits_.assign(parameters.begin(), parameters.end());
  return logits_;
}

void NodeClassification::tally(std::span<const float> parameters, Split split, UnitSet which, std::span<double> sums) {
  SOUK_EXPECT(sums.size() == tally_size());
  const std::size_t width = network_.classes();
  const std::span<const float> all = logits(parameters);
  outputs_.resize(which.size() * width);
  for (std::size_t i = 0; i < which.size(); ++i) {
    std::ranges::copy(all.subspan(nodes(split)[which[i]] * width, width),
                      outputs_.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  losses_.resize(which.size());
  const auto labels = labels_of(split, which);
  objective_->losses(outputs_, width, {.classes = labels}, losses_);
  tally_classes(outputs_, losses_, labels, width, sums);
}

Scores NodeClassification::scores(std::span<const double> sums) const { return class_scores(sums, network_.classes()); }

LayerSize NodeClassification::whole() const {
  return {.nodes = static_cast<double>(graph_.nodes()),
          .edge_entries = static_cast<double>(graph_.edges.entries()),
          .feature_entries = static_cast<double>(graph_.features.entries())};
}

double NodeClassification::forward_flops() const {
  return network_.forward_flops(whole()) / static_cast<double>(units(Split::train));
}

Footprint NodeClassification::footprint(std::size_t, std::size_t) const {
  const LayerSize all = whole();
  Footprint footprint;
  footprint.held = static_cast<double>(row_factors_.size() + graph_.nodes() * network_.classes()) * sizeof(float);
  // A field of the whole graph: its own numbering, edges and features.
  footprint.held +=
      36.0 * all.nodes + 4.0 * all.edge_entries + (graph_.features.values.empty() ? 4.0 : 8.0) * all.feature_entries;
  footprint.at(Moment::training) = network_.working_bytes(all);
  footprint.at(Moment::testing) = network_.working_bytes(all);
  return footprint;
}

}  // namespace souk
