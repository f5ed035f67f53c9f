#include "agents/communication/client_memory.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {

void ClientMemory::lend(const Comm& comm, RoundIndex round, std::span<const AgentId> clients,
                        std::span<const int> owners) {
  forget_stale(round);
  lent_.reset(comm, clients, owners, values_);
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (kept_.has(clients[i])) {
      known.push_back(i);
    } else if (lent_.is_local(i)) {
      std::ranges::fill(lent_.row(i), 0.0F);
    }
  }
  if (known.empty()) return;
  std::ranges::stable_sort(known, {}, [&](std::size_t i) { return owners[i]; });
  std::vector<AgentId> in_order;
  std::vector<RowRange> wanted(static_cast<std::size_t>(comm.size()));
  for (std::size_t k = 0; k < known.size(); ++k) {
    in_order.push_back(clients[known[k]]);
    RowRange& range = wanted[static_cast<std::size_t>(owners[known[k]])];
    if (range.begin == range.end) range.begin = k;
    range.end = k + 1;
  }
  const ColumnMatrix like = zero_step(comm, values_);
  const std::vector<float> rows = gather_rows(comm, kept_.rows_of(comm, in_order, like), wanted);
  const float* next = rows.data();
  for (const std::size_t i : known) {
    if (!lent_.is_local(i)) continue;
    std::copy_n(next, values_, lent_.row(i).begin());
    next += values_;
  }
}

std::span<float> ClientMemory::of(AgentId client) {
  const auto agents = lent_.agents();
  const auto place = std::ranges::lower_bound(agents, client);
  SOUK_EXPECT(place != agents.end() && *place == client);
  return lent_.row(static_cast<std::size_t>(place - agents.begin()));
}

void ClientMemory::take_back(const Comm& comm, RoundIndex round, const std::function<bool(AgentId)>& keeps) {
  ColumnMatrix columns;
  to_columns(comm, lent_, {0, values_}, columns);
  for (std::size_t i = 0; i < lent_.rows(); ++i) {
    const AgentId client = lent_.agents()[i];
    if (!keeps(client)) continue;
    kept_.of(client, columns) = copy_of_row(columns, i);
    last_rounds_[client.value] = round.value;
  }
}

void ClientMemory::forget_stale(RoundIndex round) {
  if (forget_after_ == 0) return;
  std::erase_if(last_rounds_, [&](const auto& entry) {
    const bool stale = std::int64_t{round.value} - entry.second - 1 > std::int64_t{forget_after_};
    if (stale) kept_.forget(AgentId{entry.first});
    return stale;
  });
}

void ClientMemory::forget_all() {
  kept_ = {};
  last_rounds_.clear();
}

void ClientMemory::serialize(Archive& archive, const Comm& comm) {
  kept_.serialize(archive, comm);
  std::vector<std::int64_t> clients, rounds;
  for (const auto& [client, round] : last_rounds_) {
    clients.push_back(client);
    rounds.push_back(round);
  }
  archive.field("clients", clients);
  archive.field("last rounds", rounds);
  SOUK_REQUIRE(clients.size() == rounds.size(), "saved state: {} clients keep something since {} rounds",
               clients.size(), rounds.size());
  last_rounds_.clear();
  for (std::size_t i = 0; i < clients.size(); ++i) last_rounds_[static_cast<std::uint32_t>(clients[i])] = rounds[i];
}

}  // namespace souk
