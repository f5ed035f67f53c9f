#include "agents/training/kept_answer_changes.hpp"

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {

KeptAnswerChanges::AtWork::AtWork(const KeptAnswerChanges& changes, const ParameterLayout& layout) {
  if (!changes.maps_.empty()) mapped_.emplace(changes.maps_);
  if (changes.turns_.empty()) return;
  const std::optional<AffineEnd> layer = affine_end_of(layout);
  SOUK_EXPECT(layer.has_value());
  turned_.emplace(*layer, changes.turns_);
}

void KeptAnswerChanges::AtWork::append_to(std::vector<const AnswerChange*>& all) const {
  if (turned_) all.push_back(&*turned_);
  if (mapped_) all.push_back(&*mapped_);
}

void KeptAnswerChanges::serialize(Archive& archive) {
  serialize_turns(archive);
  serialize_maps(archive);
}

void KeptAnswerChanges::serialize_turns(Archive& archive) {
  auto count = static_cast<std::int64_t>(turns_.size());
  archive.field("turns of answers", count);
  turns_.resize(static_cast<std::size_t>(count));
  for (AnswerTurn& turn : turns_) {
    std::vector<float> settings{turn.offset, turn.strength, turn.sharpness};
    archive.field("direction", turn.direction);
    archive.field("probe", turn.probe);
    archive.field("offset, strength, sharpness", settings);
    SOUK_REQUIRE(settings.size() == 3, "saved state: a turn of answers has {} settings, not 3", settings.size());
    turn.offset = settings[0];
    turn.strength = settings[1];
    turn.sharpness = settings[2];
  }
}

void KeptAnswerChanges::serialize_maps(Archive& archive) {
  auto count = static_cast<std::int64_t>(maps_.size());
  archive.field("maps of answers", count);
  maps_.resize(static_cast<std::size_t>(count));
  for (AnswerMap& map : maps_) {
    std::vector<std::int64_t> nodes(map.nodes.begin(), map.nodes.end());
    archive.field("weights", map.weights);
    archive.field("nodes", nodes);
    map.nodes.clear();
    for (const std::int64_t node : nodes) map.nodes.push_back(static_cast<std::uint32_t>(node));
  }
}

}  // namespace souk
