#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agents/communication/client_memory.hpp"
#include "agents/communication/codec.hpp"
#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"

namespace souk {

/// The updates of one owner's model on their way through a codec: every update is encoded to bytes and decoded again,
/// on the rank that trained it. With error feedback a client sends u = x + e, e what its codec left out of its last
/// update, and keeps e <- u - Q(u) (Stich et al., "Sparsified SGD with Memory", NeurIPS 2018, algorithm 1). What
/// attackers craft is encoded when it arrives, from nothing kept, and leaves nothing behind.
class Compression final : public ServerHooks {
 public:
  /// `codec` must outlive it. Throws InputError for settings that have no effect.
  Compression(const World& world, const Codec& codec, std::size_t owner);
  void forget();

  void attach(ModelServer& server) override { server_ = &server; }
  void resize_messages(MessageBytes& bytes) const override;
  bool lends() const override { return memory_.has_value(); }
  void before_training(RoundIndex round, std::span<const AgentId> clients, std::span<const int> owners) override;
  void invite(RoundIndex round, std::size_t wanted, Invitation& invitation, RoundRecord& record) override;
  void prepare_update(RoundIndex round, AgentId client, std::span<float> update) override;
  void receive(ServerRound& round, RoundRecord& record) override;
  HookFootprint footprint(const RuleScale& scale, const RuleFootprint& rule) const override;
  void serialize_hooks(Archive& archive) override;

 private:
  /// Length of what was to be sent, and of what the codec left out of it, squared.
  struct Loss {
    std::uint32_t client;
    double sent, left_out;
  };
  std::size_t kept_values() const;
  EncodingDraws draws_of(AgentId client, RoundIndex round) const;
  void pass_through(const EncodingDraws& draws, std::span<float> memory, std::span<float> update);
  void encode_crafted(ServerRound& round);
  void record_loss(RoundRecord& record);

  const Comm& comm_;
  const Federation& federation_;
  const ParameterLayout& layout_;
  const Codec& codec_;
  std::uint64_t seed_;
  std::uint16_t owner_;
  bool feedback_;
  std::optional<ClientMemory> memory_;  ///< none: clients keep nothing
  ModelServer* server_ = nullptr;
  std::vector<std::byte> message_;  ///< work
  std::vector<float> wanted_;       ///< [trainable] work: what was to be sent
  std::vector<Loss> losses_;        ///< of the clients that this rank trained in the round
  RowMatrix crafted_rows_;
  ColumnMatrix crafted_;  ///< rows that the round's view points into
};

}  // namespace souk
