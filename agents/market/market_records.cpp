#include "agents/market/market_records.hpp"

#include <algorithm>

#include "agents/training/round_recorder.hpp"

namespace souk {

void record_outbid(AgentId client, RoundRecord& record) {
  selection_of(client, record).outcome = SelectionOutcome::outbid;
}

void record_valuation(const Valuation& valuation, std::span<const AgentId> sellers, std::uint64_t evaluations,
                      RoundRecord& record) {
  record.add("valuation_evaluations", static_cast<double>(evaluations));
  for (std::size_t i = 0; i < sellers.size(); ++i) {
    record.add("value", valuation.values[i], sellers[i].value);
    if (!valuation.standard_errors.empty()) {
      record.add("value_error", valuation.standard_errors[i], sellers[i].value);
    }
  }
}

void merge_rival(const std::string& prefix, std::int64_t account, RoundRecord&& rival, RoundRecord& record) {
  for (MetricValue& metric : rival.metrics) {
    record.add(prefix + metric.name, metric.value, metric.agent, metric.label);
  }
  for (SelectionRow& row : rival.selections) {
    row.buyer = account;
    if (row.weight) record.add(prefix + "weight", *row.weight, row.agent.value);
    record.selections.push_back(std::move(row));
  }
  for (TrafficRow& row : rival.traffic) {
    const auto same = std::ranges::find(record.traffic, row.kind, &TrafficRow::kind);
    if (same == record.traffic.end()) {
      record.traffic.push_back(std::move(row));
    } else {
      same->messages += row.messages;
      same->bytes += row.bytes;
    }
  }
  record.privacy.insert(record.privacy.end(), rival.privacy.begin(), rival.privacy.end());
  for (EventRow& event : rival.events) record.events.push_back({prefix + event.kind, event.agent, event.text});
  for (TransferRow& row : rival.transfers) {
    row.buyer = account;
    record.transfers.push_back(std::move(row));
  }
}

}  // namespace souk
