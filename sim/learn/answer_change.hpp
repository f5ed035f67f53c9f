#pragma once

#include <functional>
#include <span>

namespace souk {

/// Stands between a network and those who test it: makes other answers of those that the network gives to a batch. It
/// knows the network by what it answers, and nothing of what is asked; so it is for rows and nodes alike.
class AnswerChange {
 public:
  /// What the network itself answers to the batch with these parameters, [samples, outputs].
  using Ask = std::function<void(std::span<const float> parameters, std::span<float> answers)>;

  virtual ~AnswerChange() = default;
  /// `answers`: those to the batch with `parameters`, as far as they have been changed.
  virtual void change(const Ask& ask, std::span<const float> parameters, std::span<float> answers) const = 0;
};

}  // namespace souk
