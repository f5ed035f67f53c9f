#include "agents/inference/claim_records.hpp"

#include <utility>

#include "agents/inference/asked_samples.hpp"
#include "scenarios/scenario.pb.h"

namespace souk {

ClaimRecords::ClaimRecords(const Federation& federation, const SampleImages& images, const SampleProperty* property)
    : federation_(federation),
      images_(images),
      property_(property),
      scorer_(federation.train(), images, federation.auxiliary(), federation.scenario().inference().pool(),
              federation.scenario().seed()) {}

VictimScore ClaimRecords::score(const Claim& claim, const VictimCase& victim, std::span<const AgentId> clients) const {
  VictimScore score{.client = victim.members.front().client};
  if (const auto* scores = std::get_if<ClaimedScores>(&claim)) {
    score.membership = ScoredTruth{scores->scores, victim.asked.is_member};
  }
  if (const auto* claimed = std::get_if<ClaimedProperty>(&claim)) {
    const bool has = property_->count(score.client) > 0;
    score.property = ScoredTruth{{claimed->log_odds}, {static_cast<std::uint8_t>(has ? 1 : 0)}};
  }
  if (const auto* sources = std::get_if<ClaimedSources>(&claim)) {
    score.source = source_score(*sources, victim.asked, clients, score.client, federation_);
  }
  if (const auto* counts = std::get_if<ClaimedCounts>(&claim)) score.counts = scorer_.counts(*counts, victim.hidden);
  if (const auto* samples = std::get_if<ClaimedSamples>(&claim)) {
    score.reconstructions = scorer_.samples(*samples, victim.hidden);
  }
  score.equations = static_cast<double>(federation_.task().layout().trainable()) /
                    static_cast<double>(victim.hidden.samples.size() * images_.size());
  return score;
}

void ClaimRecords::record(const InferenceCampaign& campaign, std::span<const VictimScore> scores,
                          RoundRecord& record) const {
  record_inference(campaign.name(), scores, record);
  record_reconstructions(campaign.name(), scores, record);
  record_answers(campaign, scores, record);
  const std::uint32_t most = federation_.scenario().inference().pictures();
  for (PictureRow& picture : pictures_of(campaign.name(), scores, images_.shape(), most, record.round)) {
    record.pictures.push_back(std::move(picture));
  }
}

void ClaimRecords::record_answers(const InferenceCampaign& campaign, std::span<const VictimScore> scores,
                                  RoundRecord& record) const {
  std::vector<ScoredTruth> memberships, properties;
  std::vector<SourceScore> sources;
  for (const VictimScore& score : scores) {
    if (score.membership) memberships.push_back(*score.membership);
    if (score.property) properties.push_back(*score.property);
    if (score.source) sources.push_back(*score.source);
  }
  const std::string prefix = "inference." + campaign.name() + ".";
  record_ranking(prefix + "membership_", memberships, campaign.seed(record.round), record);
  record_ranking(prefix + "property_", properties, campaign.seed(record.round), record);
  record_properties(prefix + "property_", properties, record);
  record_sources(campaign.name(), sources, record);
}

}  // namespace souk
