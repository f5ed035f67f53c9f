#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "agents/market/valuation.hpp"
#include "sim/base/ids.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

// What a market writes into the record of a round beside money; docs/metrics.md defines every number.

/// An update that the market passed over before the rule saw it.
void record_outbid(AgentId client, RoundRecord& record);

/// What updates contribute by the buyer's measure, and what finding out cost.
void record_valuation(const Valuation& valuation, std::span<const AgentId> sellers, std::uint64_t evaluations,
                      RoundRecord& record);

/// Puts a rival's part of a round into the whole round's record: its metrics and events get `prefix`, its rows its
/// account.
void merge_rival(const std::string& prefix, std::int64_t account, RoundRecord&& rival, RoundRecord& record);

}  // namespace souk
