#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "sim/comm/comm.hpp"
#include "sim/learn/answer_change.hpp"

namespace souk::scenario {
class Clusters;
}

namespace souk {

/// Parameters of models that were trained apart, [models] of [dimension].
using ModelsApart = std::vector<std::span<const float>>;

/// What is made of the models of clusters: one model, or one answer. One file each; chosen in Clusters.together.
class TogetherRule {
 public:
  virtual ~TogetherRule() = default;
  /// Whether it makes one answer of theirs; else they are one model, the mean of their parameters.
  virtual bool of_answers() const { return true; }
  /// Throws InputError where there is nothing that it could put together.
  virtual void check(const Task&) const {}
  /// Training units about which models are asked before they can answer together.
  virtual std::vector<SampleIndex> asks_first(const Federation&) const { return {}; }
  /// Gets ready for these models. `said`: their probabilities of classes of those units, [models, units, classes].
  virtual void learn(const Federation&, std::span<const SampleIndex> /*units*/, std::size_t /*models*/,
                     std::span<const float> /*said*/) {}
  /// One answer of those of models. `said`: probabilities of classes, or predictions, [models, out's size]; `out`:
  /// likewise, [samples, outputs].
  virtual void answer(std::span<const float> /*said*/, std::size_t /*outputs*/, std::span<float> /*out*/) const {}
};

/// The rule chosen in the scenario.
std::unique_ptr<TogetherRule> make_together_rule(const scenario::Clusters& config);

/// Models that answer together: logits of classes, logarithms of what the rule makes of their probabilities, of which
/// none counts as less than 1e-30; or predictions.
class AnswerTogether final : public AnswerChange {
 public:
  /// Asks about what the rule has to know first. `models` and `rule` outlive it. Collective.
  AnswerTogether(const Comm& comm, const Federation& federation, ModelsApart models, TogetherRule& rule);
  void change(const Ask& ask, std::span<const float> parameters, std::span<float> answers) const override;

 private:
  ModelsApart models_;
  const TogetherRule& rule_;
  std::size_t classes_;
};

}  // namespace souk
