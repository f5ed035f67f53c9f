#include "sim/learn/tasks/row_task.hpp"

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// What only graphs have.
void check_training(const scenario::Training& training) {
  const char* field = training.has_early_stopping()            ? "early_stopping"
                      : training.sampled_neighbours_size() > 0 ? "sampled_neighbours"
                      : training.layer_weight_decay_size() > 0 ? "layer_weight_decay"
                                                               : nullptr;
  SOUK_REQUIRE(field == nullptr,
               "task.training.{}: is for the nodes of a graph, and the samples of the data set are rows", field);
}

}  // namespace

RowTask::RowTask(const scenario::Task& config, const Dataset& train, const Dataset& test, const std::string& device)
    : train_(train),
      test_(test),
      objective_(make_objective(config.objective(), train.classes() > 0)),
      network_(make_network(config.model(), model_shape(train), device, objective_)),
      learner_(config.training(), *network_, train_),
      trainer_(config.training(), learner_) {
  check_training(config.training());
  if (config.training().has_sample_privacy()) check_private_steps();
}

/// What has no gradient of a single sample, or gives away more than gradients.
void RowTask::check_private_steps() const {
  SOUK_REQUIRE(layout().trainable() == layout().dimension(),
               "task.training.sample_privacy: the model has running statistics, which are not noised; use one without");
  SOUK_REQUIRE(
      objective_->attention_reduction() == 0,
      "task.training.sample_privacy: the objective compares the samples of a mini-batch, so that no gradient is of "
      "one of them alone; use another");
}

LocalResult RowTask::train(std::span<const float> global, UnitSet mine, const BatchEdit& edit,
                           const LocalContext& context, std::span<float> update) {
  return trainer_.train(global, mine, edit, context, update);
}

Batch RowTask::load(Split split, UnitSet which, const BatchEdit& edit) {
  const Dataset& from = data(split);
  features_.reserve(which.size() * from.features());
  const std::span<float> features(features_.data(), which.size() * from.features());
  from.copy_features(which, features);
  if (from.shape().numbers) {
    numbers_.resize(which.size());
    from.copy_numbers(which, numbers_);
  } else {
    labels_.resize(which.size());
    for (std::size_t i = 0; i < which.size(); ++i) labels_[i] = from.labels()[which[i]];
  }
  if (edit) edit({.which = which, .features = features, .labels = labels_, .numbers = numbers_});
  weights_.clear();
  if (!from.weights().empty()) {
    for (const SampleIndex sample : which) weights_.push_back(from.weights()[sample]);
  }
  return {.features = features, .labels = labels_, .samples = which.size(), .numbers = numbers_, .weights = weights_};
}

double RowTask::gradient(std::span<float> parameters, UnitSet which, std::span<float> gradient, const BatchEdit& edit) {
  return network_->gradient(parameters, load(Split::train, which, edit), gradient);
}

void RowTask::hessian_vector(std::span<const float> parameters, UnitSet which, std::span<const float> direction,
                             std::span<float> out, const BatchEdit& edit) {
  network_->hessian_vector(parameters, load(Split::train, which, edit), direction, out);
}

void RowTask::answers(std::span<const float> parameters, const Batch& batch, std::span<float> out) {
  network_->outputs(parameters, batch, out);
  const auto ask = [&](std::span<const float> other, std::span<float> answers) {
    network_->outputs(other, batch, answers);
  };
  for (const AnswerChange* change : changes_) change->change(ask, parameters, out);
}

void RowTask::tally(std::span<const float> parameters, Split split, UnitSet which, std::span<double> sums,
                    const BatchEdit& edit) {
  SOUK_EXPECT(sums.size() == tally_size());
  const Batch batch = load(split, which, edit);
  const std::size_t width = network_->shape().outputs();
  outputs_.reserve(which.size() * width);
  tallied_ = which.size();
  answers(parameters, batch, {outputs_.data(), which.size() * width});
  losses_.resize(which.size());
  objective_->losses(outputs(), width, batch.targets(), losses_);
  tally_answers(outputs(), losses_, batch.targets(), sums);
}

}  // namespace souk
