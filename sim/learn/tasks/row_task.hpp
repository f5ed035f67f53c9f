#pragma once

#include <memory>
#include <vector>

#include "sim/learn/float_buffer.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/row_learner.hpp"
#include "sim/learn/task.hpp"

namespace souk {

/// Tasks whose units are rows of a data set that have nothing to do with each other.
class RowTask : public Task {
 public:
  RowTask(const scenario::Task& config, const Dataset& train, const Dataset& test, const std::string& device);

  const Dataset& data(Split split) const { return split == Split::train ? train_ : test_; }
  Network& network() { return *network_; }
  void answer_through(std::span<const AnswerChange* const> changes) final {
    changes_.assign(changes.begin(), changes.end());
  }
  /// What it is tested by, [samples, outputs]: the network's answers, changed.
  void answers(std::span<const float> parameters, const Batch& batch, std::span<float> out);

  const ParameterLayout& layout() const final { return network_->layout(); }
  void initialise(Stream& random, std::span<float> parameters) const final { network_->initialise(random, parameters); }
  std::size_t units(Split split) const final { return data(split).size(); }
  int classes() const final { return train_.classes(); }
  using Task::labels;
  std::span<const std::int32_t> labels(Split split) const final { return data(split).labels(); }
  LocalResult train(std::span<const float> global, UnitSet mine, const BatchEdit& edit, const LocalContext& context,
                    std::span<float> update) final;
  double gradient(std::span<float> parameters, UnitSet which, std::span<float> gradient,
                  const BatchEdit& edit = {}) final;
  void hessian_vector(std::span<const float> parameters, UnitSet which, std::span<const float> direction,
                      std::span<float> out, const BatchEdit& edit = {}) final;
  void tally(std::span<const float> parameters, Split split, UnitSet which, std::span<double> sums,
             const BatchEdit& edit = {}) final;
  std::span<const float> outputs() const final { return {outputs_.data(), tallied_ * network_->shape().outputs()}; }
  double forward_flops() const final { return network_->forward_flops(); }
  Footprint footprint(std::size_t trained, std::size_t tested) const final {
    return network_->footprint(trained, tested);
  }
  RowTask* rows() final { return this; }

 protected:
  /// Writes counts and sums for outputs [units, outputs] and the losses [units] of them.
  virtual void tally_answers(std::span<const float> outputs, std::span<const double> losses, const Targets& targets,
                             std::span<double> sums) const = 0;

 private:
  void check_private_steps() const;
  Batch load(Split split, UnitSet which, const BatchEdit& edit);
  const Dataset& train_;
  const Dataset& test_;
  std::shared_ptr<const Objective> objective_;
  std::unique_ptr<Network> network_;
  RowLearner learner_;
  LocalTrainer trainer_;
  FloatBuffer features_, outputs_;  // work buffers: a test is hundreds of batches of one size
  std::vector<std::int32_t> labels_;
  std::vector<float> numbers_, weights_;
  std::vector<double> losses_;
  std::size_t tallied_ = 0;
  std::vector<const AnswerChange*> changes_;
};

}  // namespace souk
