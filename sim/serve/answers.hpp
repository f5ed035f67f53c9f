#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/random.hpp"

namespace souk::scenario {
class Answers;
}

namespace souk {

/// What values lie between.
struct ValueRange {
  double low, high;
};

/// A change of answers that makes them tell less, one file each.
class AnswerDefence {
 public:
  virtual ~AnswerDefence() = default;
  /// Between what values lie afterwards.
  virtual ValueRange range(const ValueRange& before) const { return before; }
  /// Why it changes no value in this range; empty: it may.
  virtual std::string without_effect(const ValueRange&) const { return {}; }
  /// Changes the values [classes] told about one node. `noise`: of this answer.
  virtual void apply(std::span<double> values, Stream& noise) const = 0;
};

/// What answers tell.
class Answering {
 public:
  /// Throws InputError.
  Answering(const scenario::Answers& config, std::size_t classes);
  /// Turns the logits [classes] of one node into what is told.
  void shape(std::span<double> values, Stream& noise) const;
  /// Sentences about defences that change nothing.
  std::vector<std::string> without_effect() const;

 private:
  enum class Form : std::uint8_t { posterior, logits, label } form_;
  std::vector<std::unique_ptr<AnswerDefence>> defences_;
};

}  // namespace souk
