#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/footprint.hpp"
#include "sim/base/ids.hpp"
#include "sim/data/dataset.hpp"
#include "sim/data/dataset_reader.hpp"
#include "sim/data/graphs/graph.hpp"
#include "sim/learn/answer_change.hpp"
#include "sim/learn/local_trainer.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk::scenario {
class Model;
class Task;
}  // namespace souk::scenario

namespace souk {

class Network;
class Stream;

/// Some of the units that participants hold and models are judged on, by number: samples of a data set.
using UnitSet = std::span<const SampleIndex>;

/// What a task tells about a model beside loss and quality.
struct TaskMetric {
  std::string name;
  double value = 0.0;
  std::int64_t label = -1;  ///< a class; -1: of all
};

/// How good a model is on some units.
struct Scores {
  double loss = 0.0;     ///< mean of the objective
  double quality = 0.0;  ///< the larger the better, 1 at most: accuracy, or R²
  double skill = 0.0;  ///< the same with chance taken out: Cohen's kappa of classes, 0 where chance agreement is 1; R²
  std::vector<double> loss_of_class{};  ///< [classes] mean, NaN where there is no unit of the class
  std::vector<TaskMetric> metrics{};    ///< the task's own, quality and loss among them
};

class RowTask;
class NodeClassification;

/// What is learned: data, a network, and what its answers are worth. Participants, partitions and judges deal in
/// numbers of units; what they need to know about one they ask here. Every rank has its own, over data that are shared.
/// Calls are not reentrant; the same arguments give the same bits.
class Task {
 public:
  virtual ~Task() = default;
  virtual const ParameterLayout& layout() const = 0;
  /// Fresh parameters.
  virtual void initialise(Stream& random, std::span<float> parameters) const = 0;
  virtual std::size_t units(Split split) const = 0;
  /// Number of classes; 0: units have none, and what needs them is to be refused by name.
  virtual int classes() const = 0;
  /// [units] their classes; empty where there are none.
  virtual std::span<const std::int32_t> labels(Split split) const = 0;
  std::span<const std::int32_t> labels() const { return labels(Split::train); }
  /// Trains from `global` on units and writes local minus global to `update`, both [dimension].
  virtual LocalResult train(std::span<const float> global, UnitSet mine, const BatchEdit& edit,
                            const LocalContext& context, std::span<float> update) = 0;
  /// Mean loss on training units and its gradient [trainable]. May move running statistics inside `parameters`. `edit`,
  /// here and below: what whoever holds the units makes of them, one batch.
  virtual double gradient(std::span<float> parameters, UnitSet which, std::span<float> gradient,
                          const BatchEdit& edit = {}) = 0;
  /// Hessian of the mean loss on training units times `direction`, both [trainable].
  virtual void hessian_vector(std::span<const float> parameters, UnitSet which, std::span<const float> direction,
                              std::span<float> out, const BatchEdit& edit = {}) = 0;
  /// How many numbers `tally` writes.
  virtual std::size_t tally_size() const = 0;
  /// Counts and sums on some units, one batch. Those of several batches add up, value by value.
  virtual void tally(std::span<const float> parameters, Split split, UnitSet which, std::span<double> sums,
                     const BatchEdit& edit = {}) = 0;
  /// From now on what is tallied answers through these, one after the other; none: as the network answers. Training is
  /// left alone. They must outlive it.
  virtual void answer_through(std::span<const AnswerChange* const> changes) = 0;
  /// The model's answers to the units tallied last, [units, classes or 1].
  virtual std::span<const float> outputs() const = 0;
  /// What sums of tallies say.
  virtual Scores scores(std::span<const double> sums) const = 0;
  /// What quality is called: "accuracy".
  virtual const char* quality_name() const = 0;
  /// Flops of one forward pass for one unit.
  virtual double forward_flops() const = 0;
  /// What it holds on a rank, trained on mini-batches of so many units and tested on batches of so many.
  virtual Footprint footprint(std::size_t trained, std::size_t tested) const = 0;
  /// How many edges away a unit feels what happens to another; 0: units are independent.
  virtual std::size_t reach() const { return 0; }
  /// The graph that it was built over is another one, in the same place: what it keeps of it is to be computed anew.
  virtual void data_changed() {}
  /// Where units are independent rows of features, that task; null elsewhere.
  virtual RowTask* rows() { return nullptr; }
  /// Where units are nodes of a graph, that task; null elsewhere.
  virtual NodeClassification* nodes() { return nullptr; }
};

/// Parameters of the model chosen for data of this shape, before anything is built that trains it. Throws InputError
/// where it does not fit.
std::size_t parameter_count(const scenario::Model& model, const Dataset& train);

/// The task that the data set makes of `config`: classification of nodes where there is a graph, of rows where there
/// are classes, regression where there are numbers. `train`, `test` and `graph` must outlive it. Throws InputError
/// where model, objective or training do not fit the data.
std::unique_ptr<Task> make_task(const scenario::Task& config, const Dataset& train, const Dataset& test,
                                const std::string& device, const Graph& graph = {});

}  // namespace souk
