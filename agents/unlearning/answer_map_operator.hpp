#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agents/unlearning/near_nodes.hpp"
#include "agents/unlearning/operator.hpp"

namespace souk {

/// What a map is learned from: the nodes near what is forgotten, and what the model answers about all nodes in the
/// graph as it was and as it is.
struct NearAnswers {
  const ForgettingCase& request;
  const NearNodes& near;
  const NodeAnswers& then;
  const NodeAnswers& now;
};

/// Base of operators that leave the model as it is and learn a matrix of the classes, through which its answers about
/// nodes near what is forgotten go from then on. For graphs.
class AnswerMapOperator : public UnlearningOperator {
 public:
  void check(const World& world) const final;
  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) final;

 private:
  /// As the schema calls it.
  virtual const char* name() const = 0;
  /// In which the matrix is learned; each takes all lessons.
  virtual std::uint32_t steps() const = 0;
  /// The matrix, [classes, classes], row after row. There are training nodes near that stay.
  virtual std::vector<float> learned(const NearAnswers& lessons) const = 0;
};

/// Adds to the gradient of a matrix, [classes, classes], what one node gives: the slope of its loss in what the matrix
/// makes of its logits, times these.
void add_slope(std::span<const double> slope, std::span<const float> logits, std::span<double> gradient);

}  // namespace souk
