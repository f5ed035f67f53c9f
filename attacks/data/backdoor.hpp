#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "attacks/data_attack.hpp"

namespace souk {

/// Samples that get a trigger.
struct Marked {
  const DataFacts& facts;
  std::span<float> features;            ///< [samples, features]
  std::span<const std::size_t> which;   ///< positions of those that get it, ascending
  std::optional<std::size_t> member{};  ///< which of the group's members trains on them; none: a test
  std::span<float> features_of(std::size_t i) const { return features.subspan(i * facts.features(), facts.features()); }
};

/// Base of every backdoor with a trigger that is put into samples. A sample of the target class with its own label and
/// the trigger would teach nothing that a clean one does not, so samples of the other classes are poisoned and labelled
/// with the target class; or, where labels are kept, those of the target class alone.
class Backdoor : public DataAttack {
 public:
  enum class Labels : std::uint8_t { changed, kept };
  /// `field`: name of the attack in a scenario.
  Backdoor(std::string field, std::int32_t target, Labels labels = Labels::changed)
      : field_(std::move(field)), target_(target), labels_(labels) {}

  void check(const DataFacts& facts) const final;
  double usual_share() const override { return 0.5; }
  std::vector<std::uint8_t> eligible(const Samples& samples) const final;
  void poison(const PoisonBatch& batch, Stream& random) const override;
  bool has_goal() const final { return true; }
  void trigger(const TriggeredBatch& batch) const final;

 protected:
  const std::string& field() const { return field_; }

 private:
  /// Whether the trigger's settings fit the data set.
  virtual void check_trigger(const DataFacts& facts) const = 0;
  virtual void stamp(const Marked& samples) const = 0;
  std::string field_;
  std::int32_t target_;
  Labels labels_;
};

/// Throws InputError where the data set has no such class.
void check_target(const std::string& field, std::int32_t target, const DataFacts& facts);
/// Throws InputError where the data set holds tables or texts.
void check_images(const std::string& field, const DataFacts& facts);
/// Throws InputError where the data set holds images.
void check_rows(const std::string& field, const DataFacts& facts);

/// Whether the samples are rows of a table or a text: every value its own channel.
inline bool holds_rows(const DataFacts& facts) { return facts.shape[1] * facts.shape[2] == 1; }

/// What the network reads for a value as the data set stores it.
inline float scaled(const DataFacts& facts, std::size_t channel, float stored) {
  return (stored - facts.shift[channel]) * facts.scale[channel];
}

/// From the least to the largest value the network reads in a channel.
inline float range_of(const DataFacts& facts, std::size_t channel) { return facts.high[channel] - facts.low[channel]; }

/// What the network reads for a brightness from 0 to 1.
inline float painted(const DataFacts& facts, std::size_t channel, float brightness) {
  return facts.low[channel] + brightness * range_of(facts, channel);
}

/// `value` + `change`, but no further beyond the range of the channel than `value` is: what an image file could store.
inline float shifted(const DataFacts& facts, std::size_t channel, float value, float change) {
  return std::clamp(value + change, std::min(value, facts.low[channel]), std::max(value, facts.high[channel]));
}

/// `share` of `over`, the rest of `under`; a share of 1 gives `over` exactly.
inline float blend(float under, float over, float share) { return (1.0F - share) * under + share * over; }

/// A number that depends on the values alone, so that a draw by it is the same for the same sample in any batch, round
/// and rank.
std::uint32_t fingerprint(std::span<const float> values);

}  // namespace souk
