#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/cast/owners.hpp"
#include "agents/privacy/private_root.hpp"
#include "agents/training/attackers.hpp"
#include "agents/training/kept_answer_changes.hpp"
#include "agents/training/local_round.hpp"
#include "agents/training/model_judge.hpp"
#include "agents/training/model_tests.hpp"
#include "agents/training/poisoner.hpp"
#include "agents/training/rule_desk.hpp"
#include "agents/training/server_hooks.hpp"
#include "agents/training/server_optimizers/server_optimizer.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/phases.hpp"

namespace souk {

/// One model and its owner on its way through the rounds: announce, train, collect, aggregate, apply, publish, test.
class ModelServer {
 public:
  /// `index`: the owner's, which names its random streams. `hooks`: who has a say, in this order. Throws InputError.
  /// Everything given must outlive it.
  ModelServer(const Comm& comm, const Federation& federation, const Owner& owner, std::size_t index,
              std::vector<ServerHooks*> hooks);
  /// Collective. Fills `record` alike on every rank.
  void run_round(RoundIndex round, Phases& phases, RoundRecord& record);
  /// Tests the model and decides whether to stop; `final`: no round follows, whatever it decides. Collective.
  void evaluate(bool final, Phases& phases, RoundRecord& record);
  void serialize(Archive& archive);
  /// Takes over the model of a server of the same owner with all that learning remembers: its rule's, optimiser's and
  /// attackers' memories. Not those of hooks and of stop tests. Collective.
  void take_over(ModelServer& other);
  /// Takes a model that was not learned here, [dimension]; the rule and the optimiser remember nothing.
  void take_model(std::span<const float> parameters);
  /// From now on its model answers turned where it is tested, as by all turns before; parameters and training stay.
  /// Contract: the task is of rows, whose networks have a last layer that can be turned.
  void turn_answers(AnswerTurn turn) { answer_changes_.add(std::move(turn)); }
  /// Likewise, mapped. Contract: the task is of nodes.
  void map_answers(AnswerMap map) { answer_changes_.add(std::move(map)); }
  /// Within its lifetime a task answers as this server's model does.
  class Answering;
  /// The federation has forgotten something: what is kept of its data here is taken from it anew.
  void forget();
  /// What the client's attack on data makes of `mine`, all samples that it trained on, as it would in a round like the
  /// last, from the model that is now; empty: nothing. For any batches of them, in any order.
  BatchEdit edit_of(AgentId client, std::span<const SampleIndex> mine);
  /// Tests any model without deciding anything by it; attackers know the model that is now. Collective.
  TestResult look_at(std::span<const float> model, Phases& phases);
  /// What its parts need: its model, training, rule, judges, attackers, hooks, tests.
  std::vector<PartFootprint> footprints(int ranks) const;
  /// Names of the parts whose work is of interest by itself.
  static constexpr const char* training_part = "local training";
  static constexpr const char* judging_part = "judging of models";

  const Comm& comm() const { return comm_; }
  const Federation& federation() const { return federation_; }
  const Owner& owner() const { return owner_; }
  std::size_t index() const { return index_; }
  const RuleNeeds& needs() const { return needs_; }
  std::size_t tolerated_f() const { return tolerated_f_; }
  /// The model, [dimension]: trainable values and then the others.
  std::span<const float> parameters() const { return global_; }
  std::span<const float> trainable() const { return parameters().first(step_.size()); }
  std::span<const float> untrained() const { return parameters().subspan(step_.size()); }
  /// By how much the trainable values moved in the last round.
  std::span<const float> change() const { return change_; }
  /// What the rule is given in this round, once it is collected.
  RuleSetting rule_setting(const ServerRound& round) const;
  /// Judges models of this round, on root data as shown and by honest validators.
  std::unique_ptr<ModelJudge> honest_judge(const ServerRound& round);
  /// Whether the client replaces what it trained in this round.
  bool crafts(AgentId client, RoundIndex round) const { return attackers_.crafts(client, round); }
  /// The noise that a client adds to its update in this round, in bounds, where a hook says so.
  std::optional<double> noise_of(AgentId client) const;
  /// What a client's round takes, messages as they travel.
  ClientWork work_of(AgentId client) const;
  /// Of one client.
  const MessageBytes& messages() const { return messages_; }
  bool attackers_know_rule() const { return attackers_.know_rule(); }
  /// The rule as it is now. Collective where it has a memory.
  RuleSnapshot rule_as_it_is() const { return {*owner_.aggregator, *rule_, comm_}; }
  /// Sentences about attackers' settings that are allowed and odd; the same for every owner.
  const std::vector<std::string>& remarks_on_attacks() const { return poisoner_.remarks(); }
  /// And about members that cannot do what they are to do.
  const std::vector<std::string>& idle_attackers() const { return rewirer_.idle(); }

 private:
  double judging_bytes(double candidates, int ranks) const;
  double gradient_bytes(int ranks) const;
  double samples_judged_for_rule() const;
  void initialise();
  void serialize_model(Archive& archive);
  std::vector<float> offer(RoundIndex round);
  void go_through(RoundIndex round, Phases& phases, RoundRecord& record);
  RoundSelection announce(RoundIndex round, RoundRecord& record);
  void draw_root(ServerRound& round) const;
  OtherModel divide(RoundIndex round, RoundSelection& selection, RoundRecord& record);
  void train(ServerRound& round, const RoundSelection& selection, const OtherModel& other, Phases& phases);
  void collect(ServerRound& round, RoundRecord& record);
  void end_without_updates(ServerRound& round, Phases& phases, RoundRecord& record);
  std::unique_ptr<ModelJudge> judge(const ServerRound& round, const ModelJudge::JudgedRound& setting);
  std::unique_ptr<ModelJudge> judge_with_lies(const ServerRound& round);
  RuleOutput aggregate(const ServerRound& round, ModelJudge& judge, RoundRecord& record);
  void aggregate_and_apply(ServerRound& round, Phases& phases, RoundRecord& record);
  bool steps_alone() const;
  void take_step(const ColumnVector& step);
  void apply(const ServerRound& round, const RuleOutput& output, RoundRecord& record);
  void apply_buffers(const ServerRound& round, std::span<const double> weights);
  void measure(const ServerRound& round, const RuleOutput& output, double step_norm, const ModelJudge& judge,
               RoundRecord& record);
  ServerTerms terms() const;
  std::uint32_t pays_every() const;
  std::vector<double> baseline_classes(const ServerRound& round) const;
  std::optional<PrivateRootUpdate> private_root() const;
  RoundSize seen_by_rule(std::size_t updates) const;
  void publish(const ServerRound& round, RoundRecord& record);

  const Comm& comm_;
  const Federation& federation_;
  const scenario::Scenario& scenario_;
  const Owner& owner_;
  std::size_t index_;
  std::vector<ServerHooks*> hooks_;
  std::unique_ptr<Aggregator> rule_;
  RuleNeeds needs_;
  bool trains_root_;                               ///< on its root data, in every round
  std::optional<PrivateRootUpdate> private_root_;  ///< none: as clients train
  std::size_t tolerated_f_;
  MessageBytes messages_;
  std::unique_ptr<ServerOptimizer> optimizer_;
  Attackers attackers_;
  Poisoner poisoner_;
  Rewirer rewirer_;
  LocalRound local_;
  ModelTests tests_;
  RoundIndex last_round_{0};  ///< that it has gone through
  KeptAnswerChanges answer_changes_;
  std::vector<float> global_;
  std::vector<float> change_;  ///< [trainable] of the last round
  std::vector<float> step_;    ///< [trainable] work of a round, kept for its memory
};

class ModelServer::Answering {
 public:
  /// The server's own task. Collective, as the other.
  explicit Answering(const ModelServer& server) : Answering(server, server.federation_.task()) {}
  /// That of another simulation, over the same data.
  Answering(const ModelServer& server, Task& task);
  ~Answering();
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

 private:
  Task& task_;
  KeptAnswerChanges::AtWork kept_;
};

}  // namespace souk
