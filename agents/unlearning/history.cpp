#include "agents/unlearning/history.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

std::string text_of_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void HistoryNeeds::add(const HistoryNeeds& other) {
  const auto finer = [](std::uint32_t a, std::uint32_t b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); };
  updates_every = finer(updates_every, other.updates_every);
  last_models = last_models || other.last_models;
  states_every = finer(states_every, other.states_every);
  states = std::max(states, other.states);
}

const LocalModel* OwnerHistory::last_model(AgentId client) const {
  const auto found = last_.find(client);
  return found == last_.end() ? nullptr : &found->second;
}

std::optional<RoundIndex> OwnerHistory::first_asked(AgentId client) const {
  const auto found = first_asked_.find(client);
  return found == first_asked_.end() ? std::nullopt : std::optional(found->second);
}

void OwnerHistory::note_asked(const RoundRecord& record) {
  for (const SelectionRow& row : record.selections) first_asked_.try_emplace(row.agent, record.round);
}

void OwnerHistory::note_come(std::span<const DealtUnits> holders, RoundIndex round) {
  for (const DealtUnits& holder : holders) first_asked_.try_emplace(holder.client, round);
}

void OwnerHistory::note_verdicts(const ServerRound& round) {
  for (std::size_t k = 0; k < round.weights.size(); ++k) {
    if (std::isnan(round.weights[k])) continue;
    Verdicts& verdicts = verdicts_[round.clients[round.seen[k]]];
    ++verdicts.sent;
    if (round.weights[k] == 0.0) ++verdicts.rejected;
  }
}

void OwnerHistory::settle(ServerRound& round, Phases& phases, RoundRecord& record) {
  note_asked(record);
  note_verdicts(round);
  phases.prepare("remember", [&] { keep(round); });
}

void OwnerHistory::keep(const ServerRound& round) {
  if (needs_.last_models) {
    for (std::size_t k = 0; k < round.clients.size(); ++k) {
      ColumnVector model = copy_of_row(round.updates, k);
      for (std::size_t v = 0; v < model.values().size(); ++v) model.values()[v] += round.start->values()[v];
      last_[round.clients[k]] = {round.round, std::move(model)};
    }
  }
  if (needs_.updates_every == 0 || (round.round.value - 1) % needs_.updates_every != 0) return;
  KeptRound kept{.round = round.round,
                 .clients = {},
                 .weights = {},
                 .total = 0.0,
                 .updates = {},
                 .change = ColumnVector(comm_, server_->change())};
  // A rule that has no weights counts each of the n updates that it saw as one nth.
  std::vector<double> weights(round.clients.size(), 0.0);
  for (std::size_t k = 0; k < round.weights.size(); ++k) {
    const double weight =
        std::isnan(round.weights[k]) ? 1.0 / static_cast<double>(round.weights.size()) : round.weights[k];
    weights[round.seen[k]] = weight;
    kept.total += weight;
  }
  std::vector<std::size_t> order(round.clients.size());
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::ranges::sort(order, {}, [&](std::size_t k) { return round.clients[k]; });
  for (const std::size_t k : order) {
    kept.clients.push_back(round.clients[k]);
    kept.weights.push_back(weights[k]);
    kept.updates.push_back(copy_of_row(round.updates, k));
  }
  rounds_.push_back(std::move(kept));
}

void OwnerHistory::forget(std::span<const AgentId> leaving, std::span<const AgentId> touched) {
  for (KeptRound& kept : rounds_) {
    std::size_t left = 0;
    for (std::size_t k = 0; k < kept.clients.size(); ++k) {
      if (std::ranges::binary_search(touched, kept.clients[k])) continue;
      kept.clients[left] = kept.clients[k];
      kept.weights[left] = kept.weights[k];
      std::swap(kept.updates[left], kept.updates[k]);
      ++left;
    }
    kept.clients.resize(left);
    kept.weights.resize(left);
    kept.updates.resize(left);
  }
  for (const AgentId client : touched) last_.erase(client);
  for (const AgentId client : leaving) {
    first_asked_.erase(client);
    verdicts_.erase(client);
  }
}

HookFootprint OwnerHistory::footprint(const RuleScale& scale, const RuleFootprint&) const {
  HookFootprint footprint{.part = "history for forgetting"};
  const double rounds = needs_.updates_every == 0
                            ? 0.0
                            : std::ceil(server_->federation().scenario().rounds() / double(needs_.updates_every));
  footprint.own.held = scale.vector() * (rounds * (static_cast<double>(scale.updates) + 1.0) +
                                         (needs_.last_models ? static_cast<double>(scale.clients) : 0.0));
  return footprint;
}

void OwnerHistory::serialize_round(Archive& archive, KeptRound& kept) {
  std::int64_t round = kept.round.value;
  std::vector<std::int64_t> clients;
  for (const AgentId client : kept.clients) clients.push_back(client.value);
  archive.field("round", round);
  archive.field("clients", clients);
  archive.field("weights", kept.weights);
  archive.field("total weight", kept.total);
  if (archive.loading()) {
    kept.round = {static_cast<std::uint32_t>(round)};
    kept.clients.clear();
    for (const std::int64_t id : clients) kept.clients.push_back({static_cast<std::uint32_t>(id)});
    kept.updates.resize(clients.size());
  }
  const std::size_t dimension = server_->trainable().size();
  for (ColumnVector& update : kept.updates) serialize_columns(archive, "update", comm_, dimension, update);
  serialize_columns(archive, "change", comm_, dimension, kept.change);
}

void OwnerHistory::serialize(Archive& archive) {
  auto kept = static_cast<std::int64_t>(rounds_.size());
  archive.field("kept rounds", kept);
  rounds_.resize(static_cast<std::size_t>(kept));
  for (KeptRound& round : rounds_) serialize_round(archive, round);
  std::vector<std::int64_t> last, asked, verdicts;
  for (const auto& [client, model] : last_) last.insert(last.end(), {client.value, model.round.value});
  for (const auto& [client, round] : first_asked_) asked.insert(asked.end(), {client.value, round.value});
  for (const auto& [client, of] : verdicts_) verdicts.insert(verdicts.end(), {client.value, of.sent, of.rejected});
  archive.field("last rounds", last);
  archive.field("first asked", asked);
  archive.field("verdicts", verdicts);
  const auto id = [](std::int64_t value) { return AgentId{static_cast<std::uint32_t>(value)}; };
  const auto index = [](std::int64_t value) { return RoundIndex{static_cast<std::uint32_t>(value)}; };
  if (archive.loading()) {
    last_.clear();
    first_asked_.clear();
    verdicts_.clear();
    for (std::size_t i = 0; i + 1 < last.size(); i += 2) last_[id(last[i])].round = index(last[i + 1]);
    for (std::size_t i = 0; i + 1 < asked.size(); i += 2) first_asked_[id(asked[i])] = index(asked[i + 1]);
    for (std::size_t i = 0; i + 2 < verdicts.size(); i += 3) {
      verdicts_[id(verdicts[i])] = {verdicts[i + 1], verdicts[i + 2]};
    }
  }
  for (auto& [client, model] : last_) {
    serialize_columns(archive, "local model", comm_, server_->trainable().size(), model.model);
  }
}

History::History(const World& world, const HistoryNeeds& needs) : world_(world), needs_(needs) {
  for (std::size_t i = 0; i < world.owners.size(); ++i) {
    owners_.push_back(std::make_unique<OwnerHistory>(world.comm, needs));
  }
}

void History::save_before(RoundIndex round) {
  if (needs_.states_every == 0 || round.value == 1 || (round.value - 1) % needs_.states_every != 0) return;
  SaveArchive archive;
  auto layout = static_cast<std::int64_t>(world_.federation.task().layout().fingerprint());
  archive.field("parameter layout", layout);  // as a simulation begins what it saves
  for (const auto& stage : world_.stages) {
    if (stage->shapes_models()) stage->serialize(archive);
  }
  states_.push_back({{round.value - 1}, text_of_bytes(archive.bytes())});
  if (states_.size() > needs_.states) states_.erase(states_.begin());
}

const SavedState* History::state_before(RoundIndex round) const {
  const SavedState* newest = nullptr;
  for (const SavedState& state : states_) {
    if (state.after < round) newest = &state;
  }
  return newest;
}

std::optional<RoundIndex> History::first_asked(std::span<const AgentId> clients) const {
  std::optional<RoundIndex> first;
  for (const auto& owner : owners_) {
    for (const AgentId client : clients) {
      const std::optional<RoundIndex> asked = owner->first_asked(client);
      if (asked && (!first || *asked < *first)) first = asked;
    }
  }
  return first;
}

void History::forget(const Forgotten& what, std::span<const DealtUnits> holders, RoundIndex touched) {
  std::vector<AgentId> clients = what.clients;
  for (const DealtUnits& holder : holders) clients.push_back(holder.client);
  for (std::uint32_t id = 0; !what.graph.empty() && id < world_.federation.population().clients(); ++id) {
    clients.push_back({id});
  }
  std::ranges::sort(clients);
  for (const auto& owner : owners_) owner->forget(what.clients, clients);
  std::erase_if(states_, [&](const SavedState& state) { return state.after >= touched; });
}

double History::bytes() const {
  const auto model = static_cast<double>(world_.federation.parameters() * sizeof(float));
  return 2.0 * model * static_cast<double>(needs_.states * owners_.size());
}

void History::serialize(Archive& archive) {
  for (const auto& owner : owners_) owner->serialize(archive);
  auto count = static_cast<std::int64_t>(states_.size());
  archive.field("saved states", count);
  states_.resize(static_cast<std::size_t>(count));
  for (SavedState& state : states_) {
    std::int64_t after = state.after.value;
    archive.field("after round", after);
    archive.field("state", state.bytes);
    state.after = {static_cast<std::uint32_t>(after)};
  }
}

}  // namespace souk
