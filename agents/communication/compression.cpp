#include "agents/communication/compression.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/row_sums.hpp"

namespace souk {
namespace {

bool has_feedback(const scenario::Communication& config, const Codec& codec) {
  if (config.error_feedback() == scenario::Communication::AS_PUBLISHED) return codec.wants_feedback();
  return config.error_feedback() == scenario::Communication::ON;
}

double square_sum(std::span<const float> values) { return dot(values.data(), values.data(), values.size()); }

}  // namespace

Compression::Compression(const World& world, const Codec& codec, std::size_t owner)
    : comm_(world.comm),
      federation_(world.federation),
      layout_(world.federation.task().layout()),
      codec_(codec),
      seed_(world.scenario.seed()),
      owner_(static_cast<std::uint16_t>(owner)),
      feedback_(has_feedback(world.scenario.communication(), codec)),
      message_(codec.bytes(layout_)),
      wanted_(layout_.trainable()) {
  const std::uint32_t forget_after = world.scenario.communication().forget_after();
  if (kept_values() > 0) memory_.emplace(kept_values(), forget_after);
  SOUK_REQUIRE(forget_after == 0 || memory_,
               "communication.forget_after = {}: with this codec, and without error feedback, clients keep nothing",
               forget_after);
}

/// What was left out, if that comes back, and what the codec itself keeps.
std::size_t Compression::kept_values() const { return (feedback_ ? layout_.trainable() : 0) + codec_.memory(layout_); }

/// What anybody left out was computed from models that knew what is forgotten.
void Compression::forget() {
  if (memory_) memory_->forget_all();
}

void Compression::resize_messages(MessageBytes& bytes) const {
  const std::size_t untrained = layout_.dimension() - layout_.trainable();
  bytes.update = static_cast<double>(codec_.bytes(layout_) + untrained * sizeof(float));
}

void Compression::before_training(RoundIndex round, std::span<const AgentId> clients, std::span<const int> owners) {
  memory_->lend(comm_, round, clients, owners);
}

void Compression::invite(RoundIndex, std::size_t, Invitation&, RoundRecord&) { losses_.clear(); }

EncodingDraws Compression::draws_of(AgentId client, RoundIndex round) const {
  return {.seed = seed_, .own = streams::encoding(owner_, client, round), .start = streams::thin_matrices(client)};
}

/// The update becomes what the server decodes. Leaves in wanted_ what was to be sent.
void Compression::pass_through(const EncodingDraws& draws, std::span<float> memory, std::span<float> update) {
  std::ranges::copy(update, wanted_.begin());
  codec_.encode({.values = update, .layout = layout_, .draws = draws, .feedback = feedback_, .memory = memory},
                message_);
  codec_.decode(message_, layout_, update);
}

/// What is not finite cannot be encoded, and is of no use to the server either: it is sent as it is, and excluded
/// there.
void Compression::prepare_update(RoundIndex round, AgentId client, std::span<float> update) {
  if (!std::isfinite(square_sum(update))) return;
  std::span<float> kept, left_out;
  if (memory_) {
    kept = memory_->of(client);
    if (feedback_) left_out = kept.last(update.size());
    for (std::size_t j = 0; j < left_out.size(); ++j) update[j] += left_out[j];
  }
  pass_through(draws_of(client, round), kept.first(kept.size() - left_out.size()), update);
  Loss loss{client.value, square_sum(wanted_), 0.0};
  for (std::size_t j = 0; j < update.size(); ++j) {
    const float difference = wanted_[j] - update[j];
    loss.left_out += static_cast<double>(difference) * static_cast<double>(difference);
    if (feedback_) left_out[j] = difference;
  }
  if (!server_->crafts(client, round)) losses_.push_back(loss);
}

void Compression::receive(ServerRound& round, RoundRecord& record) {
  if (memory_) {
    memory_->take_back(comm_, round.round, [&](AgentId client) { return !server_->crafts(client, round.round); });
  }
  encode_crafted(round);
  record_loss(record);
}

/// Whole rows of what attackers crafted, dealt to the ranks, and back into columns.
void Compression::encode_crafted(ServerRound& round) {
  std::vector<std::size_t> which;
  std::vector<AgentId> clients;
  for (std::size_t k = 0; k < round.clients.size(); ++k) {
    if (!server_->crafts(round.clients[k], round.round)) continue;
    which.push_back(k);
    clients.push_back(AgentId{static_cast<std::uint32_t>(which.size() - 1)});
  }
  if (which.empty()) return;
  const auto ranks = static_cast<std::size_t>(comm_.size());
  std::vector<RowRange> runs(ranks);
  std::vector<int> owners(which.size());
  for (std::size_t r = 0; r < ranks; ++r) {
    runs[r] = {r * which.size() / ranks, (r + 1) * which.size() / ranks};
    for (std::size_t i = runs[r].begin; i < runs[r].end; ++i) owners[i] = static_cast<int>(r);
  }
  std::vector<float> rows = gather_rows(comm_, round.updates.select(comm_, which), runs);
  crafted_rows_.reset(comm_, clients, owners, layout_.trainable());
  const RowRange mine = runs[static_cast<std::size_t>(comm_.rank())];
  std::vector<float> memory(codec_.memory(layout_));
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    const auto row = std::span(rows).subspan((i - mine.begin) * layout_.trainable(), layout_.trainable());
    std::ranges::fill(memory, 0.0F);
    pass_through(draws_of(round.clients[which[i]], round.round), memory, row);
    std::ranges::copy(row, crafted_rows_.row(i).begin());
  }
  to_columns(comm_, crafted_rows_, {0, layout_.trainable()}, crafted_);
  const std::vector<double> squares = squared_norms(comm_, crafted_);
  for (std::size_t i = 0; i < which.size(); ++i) {
    round.squares[which[i]] = round.received[which[i]].squared_norm = squares[i];
  }
  round.updates = round.updates.replaced(comm_, which, crafted_);
}

/// Mean over the clients of the share of an update's length that the codec left out.
void Compression::record_loss(RoundRecord& record) {
  std::vector<Loss> all = comm_.all_gather(std::span<const Loss>(losses_));
  std::ranges::sort(all, {}, &Loss::client);
  double sum = 0.0;
  std::size_t count = 0;
  for (const Loss& loss : all) {
    if (loss.sent == 0.0) continue;
    sum += std::sqrt(loss.left_out / loss.sent);
    ++count;
  }
  if (count > 0) record.add("communication.error", sum / static_cast<double>(count));
}

HookFootprint Compression::footprint(const RuleScale& scale, const RuleFootprint&) const {
  const double kept = static_cast<double>(kept_values() * sizeof(float)) / scale.ranks;
  const double rows = std::ceil(static_cast<double>(scale.updates) / scale.ranks);
  HookFootprint codec{.part = "codec"};
  codec.own.held = static_cast<double>(scale.clients) * kept + rows * kept * scale.ranks +
                   static_cast<double>(message_.size() + wanted_.size() * sizeof(float));
  return codec;
}

void Compression::serialize_hooks(Archive& archive) {
  if (memory_) memory_->serialize(archive, comm_);
}

}  // namespace souk
