#include "agents/unlearning/student.hpp"

#include <numeric>
#include <utility>

#include "agents/unlearning/teacher_divergence.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/learn/graphs/graph_network.hpp"
#include "sim/learn/graphs/receptive_field.hpp"
#include "sim/learn/model.hpp"

namespace souk {
namespace {

/// The number of each row in what a teacher has answered.
std::vector<std::int32_t> numbers_of_rows(std::size_t rows) {
  std::vector<std::int32_t> numbers(rows);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

class RowStudent final : public Student {
 public:
  RowStudent(const World& world, std::shared_ptr<TeacherDivergence> divergence)
      : data_(world.federation.train()),
        divergence_(std::move(divergence)),
        network_(make_network(world.scenario.task().model(), model_shape(data_), world.device, divergence_)) {}

  std::vector<float> answers(std::span<const float> model, UnitSet units, const BatchEdit& edit) override {
    std::vector<float> logits(units.size() * network_->shape().outputs());
    load(units, edit);
    network_->outputs(model, {.features = features_, .samples = units.size()}, logits);
    return logits;
  }

  double gradient(std::span<float> parameters, UnitSet units, const BatchEdit& edit, std::vector<float> teacher,
                  std::span<float> gradient) override {
    divergence_->teach(std::move(teacher));
    load(units, edit);
    const std::vector<std::int32_t> rows = numbers_of_rows(units.size());
    return network_->gradient(parameters, {.features = features_, .labels = rows, .samples = units.size()}, gradient);
  }

 private:
  void load(UnitSet units, const BatchEdit& edit) {
    features_.resize(units.size() * data_.features());
    data_.copy_features(units, features_);
    if (!edit) return;
    std::vector<std::int32_t> labels;
    for (const SampleIndex unit : units) labels.push_back(data_.labels()[unit]);
    edit({.which = units, .features = features_, .labels = labels});
  }

  const Dataset& data_;
  std::shared_ptr<TeacherDivergence> divergence_;
  std::unique_ptr<Network> network_;
  std::vector<float> features_;
};

/// Attacks on data change the labels of nodes alone, which nobody here asks.
class NodeStudent final : public Student {
 public:
  NodeStudent(const World& world, const Graph& graph, std::shared_ptr<TeacherDivergence> divergence)
      : graph_(graph),
        scaling_of_columns_(world.federation.train().scaling()),
        row_factors_(scaling_of_columns_.rows ? factors_of_rows(graph.features) : std::vector<float>()),
        divergence_(std::move(divergence)),
        network_(make_graph_network(world.scenario.task().model(), world.federation.train(), divergence_)) {}

  std::vector<float> answers(std::span<const float> model, UnitSet units, const BatchEdit&) override {
    std::vector<float> logits(units.size() * network_.classes());
    network_.outputs(model, field_of(units), units.size(), logits);
    return logits;
  }

  double gradient(std::span<float> parameters, UnitSet units, const BatchEdit&, std::vector<float> teacher,
                  std::span<float> gradient) override {
    divergence_->teach(std::move(teacher));
    return network_.gradient(parameters, field_of(units), numbers_of_rows(units.size()), gradient);
  }

 private:
  ReceptiveField field_of(UnitSet units) const {
    std::vector<NodeIndex> nodes;
    for (const SampleIndex unit : units) nodes.push_back(graph_.train_nodes[unit]);
    return {graph_,
            {.shift = scaling_of_columns_.shift, .scale = scaling_of_columns_.scale, .row_factors = row_factors_},
            nodes,
            network_.hops()};
  }

  const Graph& graph_;
  const Scaling& scaling_of_columns_;
  std::vector<float> row_factors_;
  std::shared_ptr<TeacherDivergence> divergence_;
  GraphNetwork network_;
};

}  // namespace

std::unique_ptr<Student> make_student(const World& world, const Graph& graph, double temperature) {
  const Task& task = world.federation.task();
  auto divergence = std::make_shared<TeacherDivergence>(static_cast<std::size_t>(task.classes()), temperature);
  if (world.federation.task().rows() != nullptr) return std::make_unique<RowStudent>(world, std::move(divergence));
  return std::make_unique<NodeStudent>(world, graph, std::move(divergence));
}

}  // namespace souk
