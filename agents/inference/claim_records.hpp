#pragma once

#include <span>

#include "agents/cast/federation.hpp"
#include "agents/inference/claim_scorer.hpp"
#include "agents/inference/inference_campaign.hpp"
#include "agents/inference/inference_metrics.hpp"
#include "agents/inference/sample_property.hpp"
#include "agents/inference/victim_cases.hpp"

namespace souk {

/// Compares what attacks claim with the truth, which no attack sees, and records it. The same on every rank.
class ClaimRecords {
 public:
  /// `property`: null: the section has none. Everything must outlive it.
  ClaimRecords(const Federation& federation, const SampleImages& images, const SampleProperty* property);
  /// `clients`: whose the round's updates are.
  VictimScore score(const Claim& claim, const VictimCase& victim, std::span<const AgentId> clients) const;
  /// Of a round's victims of one attack.
  void record(const InferenceCampaign& campaign, std::span<const VictimScore> scores, RoundRecord& record) const;

 private:
  void record_answers(const InferenceCampaign& campaign, std::span<const VictimScore> scores,
                      RoundRecord& record) const;

  const Federation& federation_;
  const SampleImages& images_;
  const SampleProperty* property_;
  ClaimScorer scorer_;
};

}  // namespace souk
