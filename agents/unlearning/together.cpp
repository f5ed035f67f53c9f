#include "agents/unlearning/together.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "agents/unlearning/looks.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {
namespace {

void to_probabilities(std::span<float> logits, std::size_t classes) {
  for (std::size_t first = 0; first < logits.size(); first += classes) softmax(logits.subspan(first, classes));
}

}  // namespace

std::unique_ptr<TogetherRule> make_together_rule(const scenario::Clusters& config) {
  return PluginRegistry<TogetherRule>::instance().create(config, "together");
}

AnswerTogether::AnswerTogether(const Comm& comm, const Federation& federation, ModelsApart models, TogetherRule& rule)
    : models_(std::move(models)), rule_(rule), classes_(static_cast<std::size_t>(federation.task().classes())) {
  const std::vector<SampleIndex> units = rule.asks_first(federation);
  std::vector<float> said;
  if (!units.empty()) {
    for (const std::span<const float> model : models_) {
      std::vector<float> answers = answers_to(comm, federation.task(), model, Split::train, units,
                                              federation.scenario().evaluation().batch_size());
      to_probabilities(answers, classes_);
      said.insert(said.end(), answers.begin(), answers.end());
    }
  }
  rule.learn(federation, units, models_.size(), said);
}

void AnswerTogether::change(const Ask& ask, std::span<const float>, std::span<float> answers) const {
  std::vector<float> said(models_.size() * answers.size());
  for (std::size_t m = 0; m < models_.size(); ++m) {
    const std::span<float> own = std::span(said).subspan(m * answers.size(), answers.size());
    ask(models_[m], own);
    if (classes_ > 0) to_probabilities(own, classes_);
  }
  rule_.answer(said, classes_ > 0 ? classes_ : 1, answers);
  if (classes_ == 0) return;
  for (float& p : answers) p = std::log(std::max(p, 1e-30F));
}

}  // namespace souk
