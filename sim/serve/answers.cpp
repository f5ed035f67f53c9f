#include "sim/serve/answers.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "scenarios/service.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/softmax.hpp"

namespace souk {
namespace {

void to_label(std::span<double> values) {
  const auto first = std::ranges::max_element(values) - values.begin();
  std::ranges::fill(values, 0.0);
  values[static_cast<std::size_t>(first)] = 1.0;
}

}  // namespace

Answering::Answering(const scenario::Answers& config, std::size_t classes)
    : form_(config.form() == scenario::Answers::LOGITS  ? Form::logits
            : config.form() == scenario::Answers::LABEL ? Form::label
                                                        : Form::posterior) {
  for (int i = 0; i < config.defences_size(); ++i) {
    const scenario::AnswerDefence& defence = config.defences(i);
    SOUK_REQUIRE(!defence.has_top_values() || defence.top_values().k() < classes,
                 "service.answers.defences[{}].top_values.k = {}: an answer has {} values", i, defence.top_values().k(),
                 classes);
    SOUK_REQUIRE(!defence.has_clipped() || defence.clipped().low() < defence.clipped().high(),
                 "service.answers.defences[{}].clipped: low = {} is not below high = {}", i, defence.clipped().low(),
                 defence.clipped().high());
    defences_.push_back(PluginRegistry<AnswerDefence>::instance().create(defence, "defence"));
  }
}

std::vector<std::string> Answering::without_effect() const {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  ValueRange values = form_ == Form::logits ? ValueRange{-infinite, infinite} : ValueRange{0.0, 1.0};
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < defences_.size(); ++i) {
    if (const std::string why = defences_[i]->without_effect(values); !why.empty()) {
      sentences.push_back(fmt::format("service.answers.defences[{}].{}", i, why));
    }
    values = defences_[i]->range(values);
  }
  return sentences;
}

void Answering::shape(std::span<double> values, Stream& noise) const {
  if (form_ == Form::posterior) softmax(values);
  if (form_ == Form::label) to_label(values);
  for (const auto& defence : defences_) defence->apply(values, noise);
}

}  // namespace souk
