#include "agents/training/server_round.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "sim/params/linear.hpp"

namespace souk {

void take_in(const Comm& comm, const LocalRound& local, const SentUpdates& sent, const Attackers& attackers,
             ServerRound& round, RoundRecord& record) {
  const std::vector<double> squares = squared_norms(comm, sent.updates);
  std::vector<double> of_buffers(squares.size(), 0.0);
  if (local.has_buffers()) of_buffers = squared_norms(comm, local.buffers());
  for (std::size_t i = 0; i < squares.size(); ++i) {
    const AgentId agent = local.agents()[i];
    const auto length = sent.lengths.find(i);
    if (length != sent.lengths.end()) {
      record_invalid(
          agent,
          fmt::format("{} values instead of {}; excluded from the round", length->second, sent.updates.dimension()),
          record);
      round.useless.push_back(agent);
    } else if (!std::isfinite(squares[i] + of_buffers[i])) {
      record_invalid(agent, "not finite; excluded from the round", record);
      round.useless.push_back(agent);
    } else {
      round.received.push_back({i, agent, attackers.identity_of(agent), squares[i]});
    }
  }
  std::ranges::sort(round.received, {}, &ReceivedUpdate::identity);
  std::vector<std::size_t> rows;
  for (const ReceivedUpdate& update : round.received) {
    rows.push_back(update.row);
    round.clients.push_back(update.client);
    round.squares.push_back(update.squared_norm);
    round.submissions.push_back({update.identity, local.trained()[update.row].samples});
  }
  round.updates = sent.updates.select(comm, rows);
  if (local.has_buffers()) round.buffers = local.buffers().select(comm, rows);
  round.seen.resize(rows.size());
  std::iota(round.seen.begin(), round.seen.end(), std::size_t{0});
}

ToldToAll told_to_all(const ServerRound& round) {
  std::vector<double> told(round.received.size(), 0.0);
  for (std::size_t m = 0; m < round.told.size(); ++m) told[round.seen[m]] = round.told[m];
  std::vector<std::size_t> order(round.received.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t k) { return round.clients[k]; });
  ToldToAll all;
  for (const std::size_t k : order) {
    all.agents.push_back(round.clients[k]);
    all.selected.push_back(told[k] != 0.0 ? 1.0 : 0.0);
    all.weights.push_back(told[k]);
  }
  all.payees = round.payees;
  all.paid = round.paid;
  return all;
}

}  // namespace souk
