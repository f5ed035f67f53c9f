#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/selection.hpp"
#include "agents/training/sent_models.hpp"
#include "agents/training/server_round.hpp"
#include "aggregators/aggregator.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/phases.hpp"
#include "sim/engine/round_record.hpp"
#include "sim/learn/answer_change.hpp"

namespace souk {

class Archive;
class ModelServer;

/// What somebody who has a say in a model's rounds holds and asks for.
struct HookFootprint {
  std::string part;
  Footprint own{};
  double judged = 0.0;      ///< models that it has judged on the root data in a round, at most
  double candidates = 0.0;  ///< of them at once, while it values updates
};

/// A say in the rounds of one model beside learning: who may be asked, what the rule may see, what becomes of it. What
/// is not overridden changes nothing: updates are given away. The server calls each in this order, alike on every
/// rank.
class ServerHooks {
 public:
  virtual ~ServerHooks() = default;
  /// Once, before the first round; the server outlives this. Throws InputError where the two do not fit.
  virtual void attach(ModelServer&) {}
  /// Whether the owner trains an update of its own on its root data.
  virtual bool wants_root_update() const { return false; }
  /// Changes what travels. Of the server's making; the same in every round.
  virtual void resize_messages(MessageBytes&) const {}
  /// Of so many updates that a round brings, what the rule sees.
  virtual RoundSize seen_by_rule(const RoundSize& round) const { return round; }
  /// Narrows whom a round may ask that wants so many updates, or may bring so many where clients come by themselves.
  /// May end the run. Does not communicate.
  virtual void invite(RoundIndex, std::size_t /*wanted*/, Invitation&, RoundRecord&) {}
  /// Whether it hands out, before training, what clients keep.
  virtual bool lends() const { return false; }
  /// `owners[i]` is the rank that is about to train `clients[i]`, ascending. Collective; only of those that lend.
  virtual void before_training(RoundIndex, std::span<const AgentId> /*clients*/, std::span<const int> /*owners*/) {}
  /// What the round's clients are sent instead of the model, [trainable]; empty: the model. After the round the server
  /// goes on with the model that it had, whatever came of the round. Of one hook at most. Does not communicate.
  virtual std::vector<float> offer(RoundIndex) { return {}; }
  /// Sends another model to some of `clients`, who are about to train. Of one hook at most. Does not communicate.
  virtual OtherModel divide(RoundIndex, std::span<const AgentId> /*clients*/) { return {}; }
  /// Whether clients compare the models that they were sent: where two differ nobody sends anything.
  virtual bool compares_models() const { return false; }
  /// The noise that the client adds to its update in this round, in bounds; none: whoever else has a say. Does not
  /// communicate.
  virtual std::optional<double> noise_of(AgentId) const { return std::nullopt; }
  /// What a client has trained, [trainable], on the rank that trained it: may change what it sends. Does not
  /// communicate.
  virtual void prepare_update(RoundIndex, AgentId, std::span<float>) {}
  /// Changes the root data that the owner shows. Does not communicate.
  virtual void show_root(RoundIndex, RootSamples&) {}
  /// What arrived: may change the owner's own update, and what the rule sees of it. Collective.
  virtual void receive(ServerRound&, RoundRecord&) {}
  /// The rule is about to see it. Collective.
  virtual void before_rule(const ServerRound&) {}
  /// The step that the rule made, 0 where it saw nothing: may change it. Collective.
  virtual void change_step(const ServerRound&, ColumnVector&) {}
  /// Whether it makes a step where nothing arrived, too, out of 0.
  virtual bool steps_alone() const { return false; }
  /// The rule has given weights: may change what the owner tells of them. Collective, of several phases.
  virtual void after_rule(ServerRound&, Phases&, RoundRecord&) {}
  /// The model has changed: may say what everybody is paid. Collective, of several phases.
  virtual void settle(ServerRound&, Phases&, RoundRecord&) {}
  /// After how many rounds it pays for updates, in a sum; 0: it pays nobody.
  virtual std::uint32_t pays_every() const { return 0; }
  /// Whether what it pays says more of an update than the weight that the rule gave it.
  virtual bool prices_by_more_than_weight() const { return false; }
  /// The announced probability with which a sale is told and paid the other way round.
  virtual double turned_sales() const { return 0.0; }
  /// Whether it judges models on the owner's root data.
  virtual bool looks_at_root() const { return false; }
  /// Instead of the last four, where nothing arrived that could be used and the run does not end by it.
  virtual void settle_nothing(ServerRound&, RoundRecord&) {}
  /// Makes other answers of those that the model gives where it is tested; null: they are the model's. For as long as
  /// it is tested. Collective.
  virtual const AnswerChange* answers() { return nullptr; }
  /// The model has been tested and was this good.
  virtual void tested(double /*quality*/, RoundRecord&) {}
  /// The last test of the model. Collective, of several phases.
  virtual void finish(Phases&, RoundRecord&) {}
  /// Whether its section brings the owner of this model. Of an owner beyond the first exactly one does: what two made
  /// of its rows would be nobody's.
  virtual bool brings_owner() const { return false; }
  /// Puts the model's part of a round into the whole round's record. Only of who brings the owner, and only of an owner
  /// beyond the first.
  virtual void merge(RoundRecord&& /*own*/, RoundRecord& /*round*/) const {}
  /// `rule` is what the server's rule needs at this scale.
  virtual HookFootprint footprint(const RuleScale& /*scale*/, const RuleFootprint& /*rule*/) const { return {}; }
  /// State between rounds. A name of its own, for a stage may be its own hooks. Collective.
  virtual void serialize_hooks(Archive&) {}
};

}  // namespace souk
