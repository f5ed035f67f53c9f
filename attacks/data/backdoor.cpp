#include "attacks/data/backdoor.hpp"

#include <bit>
#include <numeric>

#include "sim/base/contract.hpp"

namespace souk {

void Backdoor::check(const DataFacts& facts) const {
  check_target(field_, target_, facts);
  check_trigger(facts);
}

std::vector<std::uint8_t> Backdoor::eligible(const Samples& samples) const {
  std::vector<std::uint8_t> flags;
  for (const std::int32_t label : samples.labels) {
    flags.push_back((label == target_) == (labels_ == Labels::kept) ? 1 : 0);
  }
  return flags;
}

void Backdoor::poison(const PoisonBatch& batch, Stream&) const {
  stamp({batch.facts, batch.features, batch.chosen, batch.member});
  if (labels_ == Labels::kept) return;
  for (const std::size_t i : batch.chosen) batch.labels[i] = target_;
}

void Backdoor::trigger(const TriggeredBatch& batch) const {
  std::vector<std::size_t> all(batch.labels.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  stamp({batch.facts, batch.features, all});
  for (const std::size_t i : all) batch.goals[i] = batch.labels[i] == target_ ? -1 : target_;
}

void check_target(const std::string& field, std::int32_t target, const DataFacts& facts) {
  SOUK_REQUIRE(target < facts.classes, "{}.target = {}: the data set has {} classes", field, target, facts.classes);
}

void check_images(const std::string& field, const DataFacts& facts) {
  SOUK_REQUIRE(!holds_rows(facts), "{}: changes images, and the samples of the data set are {}", field,
               facts.vocabulary > 0 ? "texts" : fmt::format("rows of {} values", facts.shape[0]));
}

void check_rows(const std::string& field, const DataFacts& facts) {
  SOUK_REQUIRE(holds_rows(facts), "{}: changes rows of values, and the samples of the data set are images", field);
}

std::uint32_t fingerprint(std::span<const float> values) {
  std::uint64_t state = values.size();
  for (const float value : values) {
    state = (state ^ std::bit_cast<std::uint32_t>(value)) * 0x9E3779B97F4A7C15U;
    state ^= state >> 32U;
  }
  return static_cast<std::uint32_t>((state * 0x9E3779B97F4A7C15U) >> 32U);
}

}  // namespace souk
