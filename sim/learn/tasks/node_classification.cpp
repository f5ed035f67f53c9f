#include "sim/learn/tasks/node_classification.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/augmentation.hpp"
#include "sim/learn/tasks/class_tally.hpp"

namespace souk {
namespace {

constexpr SampleIndex absent_unit = 0xFFFFFFFF;

}  // namespace

NodeClassification::NodeClassification(const scenario::Task& config, const Dataset& train, const Dataset& test,
                                       const Graph& graph, const std::string& device)
    : train_(train),
      test_(test),
      graph_(graph),
      row_factors_(train.scaling().rows ? factors_of_rows(graph.features) : std::vector<float>()),
      sampled_neighbours_(config.training().sampled_neighbours().begin(), config.training().sampled_neighbours().end()),
      layer_weight_decay_(config.training().layer_weight_decay().begin(), config.training().layer_weight_decay().end()),
      objective_(make_objective(config.objective(), true)),
      network_(make_graph_network(config.model(), train, objective_)),
      learner_(*this),
      trainer_(config.training(), learner_) {
  check_training(config.training());
  SOUK_REQUIRE(device == "cpu", "--device {}: graph networks run on the processor, by kernels of their own", device);
  SOUK_EXPECT(graph.train_nodes.size() == train.size() && graph.test_nodes.size() == test.size());
}

void NodeClassification::check_training(const scenario::Training& training) const {
  SOUK_REQUIRE(!training.augmentation().flip() && training.augmentation().crop_padding() == 0,
               "task.training.augmentation: changes images, and the samples of the data set are nodes of a graph");
  SOUK_REQUIRE(
      !training.has_sample_privacy(),
      "task.training.sample_privacy: hides samples that are independent, and those of the data set are nodes of "
      "a graph, which are in each other's gradients");
  SOUK_REQUIRE(sampled_neighbours_.empty() || sampled_neighbours_.size() == network_.hops(),
               "task.training.sampled_neighbours: names {} numbers, and {} reads nodes up to {} hops away",
               sampled_neighbours_.size(), network_.name(), network_.hops());
  SOUK_REQUIRE(!training.has_early_stopping() || !graph_.validation_nodes.empty(),
               "task.training.early_stopping: the split of the data set has no validation nodes");
  const std::size_t layers = network_.widths().size();
  SOUK_REQUIRE(layer_weight_decay_.empty() || layer_weight_decay_.size() == layers,
               "task.training.layer_weight_decay: names {} numbers, and the network has {} layers",
               layer_weight_decay_.size(), layers);
  const double of_all = training.has_adam() ? training.adam().weight_decay() : training.sgd().weight_decay();
  SOUK_REQUIRE(
      layer_weight_decay_.empty() || (!training.has_adamw() && of_all == 0.0),
      "task.training.layer_weight_decay: is instead of the optimizer's weight_decay; take sgd or adam without");
}

FeatureScaling NodeClassification::scaling() const {
  const Scaling& of_columns = train_.scaling();
  return {.shift = of_columns.shift, .scale = of_columns.scale, .row_factors = row_factors_};
}

LocalResult NodeClassification::train(std::span<const float> global, UnitSet mine, const BatchEdit& edit,
                                      const LocalContext& context, std::span<float> update) {
  learner_.seen_ = graph_.own_nodes ? mine : UnitSet();
  if (context.more_edges.empty()) return trainer_.train(global, mine, edit, context, update);
  const MoreEdges edges(graph_.edges, context.more_edges);
  const Graph seen = with_edges(edges);
  see(seen);
  const std::unique_ptr<NodeClassification, void (*)(NodeClassification*)> until_trained(
      this, [](NodeClassification* task) { task->see(task->graph_); });
  return trainer_.train(global, mine, edit, context, update);
}

Graph NodeClassification::with_edges(const MoreEdges& edges) const {
  Graph graph = graph_;
  graph.edges = edges.rows();
  return graph;
}

void NodeClassification::see(const Graph& graph) {
  seen_graph_ = &graph;
  field_.reset();
}

EdgeSlopes NodeClassification::edge_slopes(std::span<const float> parameters, UnitSet which,
                                           std::span<const Edge> more) {
  std::vector<SampleIndex> ordered(which.begin(), which.end());
  std::ranges::sort(ordered);
  const MoreEdges edges(graph_.edges, more);
  const std::vector<NodeIndex> nodes = nodes_of(ordered);
  const ReceptiveField field(with_edges(edges), scaling(), nodes, network_.hops(),
                             graph_.own_nodes ? std::span<const NodeIndex>(nodes) : std::span<const NodeIndex>());
  return {network_, *objective_, parameters, field, nodes, labels_of(Split::train, ordered)};
}

double NodeClassification::NodeLearner::gradient(std::span<float> parameters, const MiniBatch& batch,
                                                 std::span<float> gradient) {
  if (batch.begins_pass) dropout_.emplace(batch.seed, streams::dropout(batch.agent, batch.round, batch.pass));
  const ReceptiveField& field = field_of(batch);
  const auto labels = task_.labels_of(Split::train, task_.units_of_field_, batch.edit);
  const double loss = task_.network_.gradient(parameters, field, labels, gradient, &*dropout_);
  task_.add_weight_decay(parameters, gradient);
  return loss;
}

const ReceptiveField& NodeClassification::NodeLearner::field_of(const MiniBatch& batch) {
  if (task_.sampled_neighbours_.empty()) return task_.field_of(batch.which, seen_);
  if (batch.begins_pass) sampling_.emplace(batch.seed, streams::neighbours(batch.agent, batch.round, batch.pass));
  task_.units_of_field_.assign(batch.which.begin(), batch.which.end());
  std::ranges::sort(task_.units_of_field_);
  task_.field_ =
      std::make_unique<ReceptiveField>(*task_.seen_graph_, task_.scaling(), task_.nodes_of(task_.units_of_field_),
                                       task_.sampled_neighbours_, *sampling_, task_.nodes_of(seen_));
  task_.units_within_.assign(1, absent_unit);  // no field that another call would want
  return *task_.field_;
}

double NodeClassification::NodeLearner::validation_loss(std::span<const float> parameters) {
  const std::size_t width = task_.network_.classes();
  const std::span<const float> all = task_.own_logits(parameters);
  std::vector<float> logits;
  std::vector<std::int32_t> labels;
  for (const NodeIndex node : task_.graph_.validation_nodes) {
    const auto row = all.subspan(node * width, width);
    logits.insert(logits.end(), row.begin(), row.end());
    labels.push_back(task_.graph_.labels[node]);
  }
  std::vector<double> losses(labels.size());
  task_.objective_->losses(logits, width, {.classes = labels}, losses);
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

void NodeClassification::add_weight_decay(std::span<const float> parameters, std::span<float> gradient) const {
  if (layer_weight_decay_.empty()) return;
  const std::span<const std::size_t> offsets = network_.offsets();
  for (std::size_t l = 0; l < offsets.size(); ++l) {
    const std::size_t end = l + 1 < offsets.size() ? offsets[l + 1] : gradient.size();
    for (std::size_t v = offsets[l]; v < end; ++v) gradient[v] += layer_weight_decay_[l] * parameters[v];
  }
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
  field_ = std::make_unique<ReceptiveField>(*seen_graph_, scaling(), nodes_of(units_of_field_), network_.hops(),
                                            nodes_of(units_within_));
  return *field_;
}

std::span<const std::int32_t> NodeClassification::labels_of(Split split, UnitSet which, const BatchEdit& edit) {
  const auto all = labels(split);
  labels_.clear();
  for (const SampleIndex unit : which) labels_.push_back(all[unit]);
  if (edit) edit({.which = which, .features = {}, .labels = labels_});
  return labels_;
}

void NodeClassification::data_changed() {
  if (train_.scaling().rows) row_factors_ = factors_of_rows(graph_.features);
  field_.reset();
  all_.reset();
  logits_.clear();
  changed_logits_.clear();
}

double NodeClassification::gradient(std::span<float> parameters, UnitSet which, std::span<float> gradient,
                                    const BatchEdit& edit) {
  const ReceptiveField& field = field_of(which);
  return network_.gradient(parameters, field, labels_of(Split::train, units_of_field_, edit), gradient);
}

void NodeClassification::hessian_vector(std::span<const float> parameters, UnitSet which,
                                        std::span<const float> direction, std::span<float> out, const BatchEdit& edit) {
  const ReceptiveField& field = field_of(which);
  network_.hessian_vector(parameters, field, labels_of(Split::train, units_of_field_, edit), direction, out);
}

std::size_t NodeClassification::tally_size() const { return class_tally_size(network_.classes()); }

void NodeClassification::ask_about_all(std::span<const float> parameters, std::span<float> logits) {
  if (all_ == nullptr) all_ = std::make_unique<ReceptiveField>(graph_, scaling());
  network_.outputs(parameters, *all_, graph_.nodes(), logits);
}

std::span<const float> NodeClassification::own_logits(std::span<const float> parameters) {
  if (!logits_.empty() && std::ranges::equal(parameters, parameters_of_logits_)) return logits_;
  logits_.resize(graph_.nodes() * network_.classes());
  ask_about_all(parameters, logits_);
  parameters_of_logits_.assign(parameters.begin(), parameters.end());
  return logits_;
}

void NodeClassification::answer_through(std::span<const AnswerChange* const> changes) {
  changes_.assign(changes.begin(), changes.end());
  changed_logits_.clear();
}

std::span<const float> NodeClassification::logits(std::span<const float> parameters) {
  const std::span<const float> own = own_logits(parameters);
  if (changes_.empty()) return own;
  if (!changed_logits_.empty() && std::ranges::equal(parameters, parameters_of_changed_)) return changed_logits_;
  changed_logits_.assign(own.begin(), own.end());
  const auto ask = [this](std::span<const float> other, std::span<float> answers) { ask_about_all(other, answers); };
  for (const AnswerChange* change : changes_) change->change(ask, parameters, changed_logits_);
  parameters_of_changed_.assign(parameters.begin(), parameters.end());
  return changed_logits_;
}

void NodeClassification::tally(std::span<const float> parameters, Split split, UnitSet which, std::span<double> sums,
                               const BatchEdit& edit) {
  SOUK_EXPECT(sums.size() == tally_size());
  const std::size_t width = network_.classes();
  const std::span<const float> all = logits(parameters);
  outputs_.resize(which.size() * width);
  for (std::size_t i = 0; i < which.size(); ++i) {
    std::ranges::copy(all.subspan(nodes_of(split)[which[i]] * width, width),
                      outputs_.begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  losses_.resize(which.size());
  const auto labels = labels_of(split, which, edit);
  objective_->losses(outputs_, width, {.classes = labels}, losses_);
  tally_classes(outputs_, losses_, labels, width, sums);
}

Scores NodeClassification::scores(std::span<const double> sums) const {
  Scores scores = class_scores(sums, network_.classes());
  for (TaskMetric& metric : f1_metrics(sums, network_.classes())) scores.metrics.push_back(std::move(metric));
  return scores;
}

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
