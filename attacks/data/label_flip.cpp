#include "attacks/data_attack.hpp"
#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Tolpegin et al., "Data Poisoning Attacks Against Federated Learning Systems", ESORICS 2020 (source to target);
/// without a source, y becomes classes - 1 - y, or any other class.
class LabelFlip final : public DataAttack {
 public:
  explicit LabelFlip(const scenario::LabelFlip& config)
      : source_(config.source()), target_(config.target()), random_(config.random()) {}

  bool of_classes_alone() const override { return true; }

  void check(const DataFacts& facts) const override {
    SOUK_REQUIRE(source_ < 0 || !random_, "label_flip.random = true: only without a source");
    SOUK_REQUIRE(source_ >= 0 || target_ == 0, "label_flip.target = {}: only with a source", target_);
    SOUK_REQUIRE(source_ < facts.classes, "label_flip.source = {}: the data set has {} classes", source_,
                 facts.classes);
    SOUK_REQUIRE(target_ < facts.classes, "label_flip.target = {}: the data set has {} classes", target_,
                 facts.classes);
    SOUK_REQUIRE(source_ != target_, "label_flip.target = {}: is the source", target_);
  }

  std::vector<std::uint8_t> eligible(const Samples& samples) const override {
    std::vector<std::uint8_t> chosen;
    for (const std::int32_t label : samples.labels) chosen.push_back(source_ < 0 || label == source_ ? 1 : 0);
    return chosen;
  }

  void poison(const PoisonBatch& batch, Stream&) const override {
    for (const std::size_t i : batch.chosen) {
      std::int32_t& label = batch.labels[i];
      if (random_) {
        // Named by the sample: the same wrong label in every round.
        Stream draw(batch.seed, streams::flipped_label(batch.which[i]));
        const auto shift = 1 + draw.below(static_cast<std::uint32_t>(batch.facts.classes - 1));
        label = (label + static_cast<std::int32_t>(shift)) % batch.facts.classes;
      } else {
        label = wanted(label, batch.facts.classes);
      }
    }
  }

  bool has_goal() const override { return !random_; }

  void trigger(const TriggeredBatch& batch) const override {
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const std::int32_t label = batch.labels[i];
      const std::int32_t goal = source_ < 0 || label == source_ ? wanted(label, batch.facts.classes) : label;
      batch.goals[i] = goal == label ? -1 : goal;
    }
  }

 private:
  std::int32_t wanted(std::int32_t label, int classes) const { return source_ < 0 ? classes - 1 - label : target_; }
  std::int32_t source_, target_;
  bool random_;
};

const Register<DataAttack, LabelFlip, scenario::LabelFlip> register_label_flip;

}  // namespace
}  // namespace souk
