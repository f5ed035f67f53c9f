#pragma once

#include <map>
#include <string>
#include <vector>

#include "attacks/attack.hpp"
#include "tests/support/attack_world.hpp"

namespace souk {

/// Answers what it is told to: row i of the answers to sample i of whatever is asked; uniform without any.
class FixedPredictor : public Predictor {
 public:
  explicit FixedPredictor(std::size_t features, std::size_t classes, std::vector<std::vector<float>> answers = {})
      : features_(features), classes_(classes), answers_(std::move(answers)) {}
  std::vector<float> probabilities(std::span<const float> features) override {
    std::vector<float> out;
    for (std::size_t i = 0; i < features.size() / features_; ++i) {
      for (std::size_t c = 0; c < classes_; ++c) {
        out.push_back(answers_.empty() ? 1.0F / static_cast<float>(classes_) : answers_[i][c]);
      }
    }
    return out;
  }

 private:
  std::size_t features_, classes_;
  std::vector<std::vector<float>> answers_;
};

/// Images of one channel with values from 0 to 1 that the network reads as they are.
inline DataFacts image_facts(std::size_t height, std::size_t width, int classes = 10) {
  return {.classes = classes, .shape = {1, height, width}, .shift = {0}, .scale = {1}, .low = {0}, .high = {1}};
}

/// A batch in memory, and what an attack makes of it.
struct DataWorld {
  DataFacts facts;
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<std::size_t> chosen{};  ///< empty: all
  std::size_t member = 0, members = 1;
  std::vector<std::vector<float>> answers{};
  std::uint64_t seed = 1;

  void poison(const DataAttack& attack) {
    std::vector<SampleIndex> which;
    std::vector<std::size_t> all;
    for (std::uint32_t i = 0; i < labels.size(); ++i) {
      which.push_back(i);
      all.push_back(i);
    }
    FixedPredictor model(facts.features(), static_cast<std::size_t>(facts.classes), answers);
    Stream random(seed, StreamKey{Purpose::data_attack, {7}, {1}});
    attack.poison({facts, which, features, labels, chosen.empty() ? all : chosen, member, members, model, seed},
                  random);
  }
  std::vector<std::uint8_t> eligible(const DataAttack& attack) {
    FixedPredictor model(facts.features(), static_cast<std::size_t>(facts.classes), answers);
    return attack.eligible({facts, features, labels, model});
  }
  std::vector<std::int32_t> trigger(const DataAttack& attack) {
    FixedPredictor model(facts.features(), static_cast<std::size_t>(facts.classes), answers);
    std::vector<std::int32_t> goals(labels.size(), -2);
    attack.trigger({facts, features, labels, model, goals});
    return goals;
  }
};

}  // namespace souk
