#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/learn/answer_change.hpp"

namespace souk {

/// A linear map of what is answered about some nodes of a graph: the logits f of each become W f.
struct AnswerMap {
  std::vector<float> weights{};        ///< W, [classes, classes]
  std::vector<std::uint32_t> nodes{};  ///< about which; ascending
};

/// W f, in double.
std::vector<double> mapped_logits(std::span<const float> weights, std::span<const float> logits);

/// Maps answers about all nodes of a graph, [nodes, classes], by all maps in their order. They must outlive it.
class MappedAnswers final : public AnswerChange {
 public:
  explicit MappedAnswers(std::span<const AnswerMap> maps) : maps_(maps) {}
  void change(const Ask& ask, std::span<const float> parameters, std::span<float> answers) const override;

 private:
  std::span<const AnswerMap> maps_;
};

}  // namespace souk
