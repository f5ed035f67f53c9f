#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "sim/learn/answer_map.hpp"
#include "sim/learn/answer_turn.hpp"

namespace souk {

class Archive;

/// What has been made of a model's answers, and stays with it: turns of rows' answers, maps of nodes'.
class KeptAnswerChanges {
 public:
  void add(AnswerTurn turn) { turns_.push_back(std::move(turn)); }
  void add(AnswerMap map) { maps_.push_back(std::move(map)); }
  void serialize(Archive& archive);

  /// All of them at work on a network.
  class AtWork {
   public:
    /// `layout`: the network's. `changes` outlives it, and is left alone. Contract: turns need an affine last layer.
    AtWork(const KeptAnswerChanges& changes, const ParameterLayout& layout);
    void append_to(std::vector<const AnswerChange*>& all) const;

   private:
    std::optional<TurnedAnswers> turned_;
    std::optional<MappedAnswers> mapped_;
  };

 private:
  void serialize_turns(Archive& archive);
  void serialize_maps(Archive& archive);
  std::vector<AnswerTurn> turns_;
  std::vector<AnswerMap> maps_;
};

}  // namespace souk
