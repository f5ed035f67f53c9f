#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/attackers.hpp"
#include "agents/evaluator.hpp"
#include "agents/federation.hpp"
#include "agents/market/assessment.hpp"
#include "agents/market/reward_models.hpp"
#include "agents/market/trade.hpp"
#include "agents/model_judge.hpp"
#include "agents/owners.hpp"
#include "agents/poisoner.hpp"
#include "agents/protocols/local_round.hpp"
#include "agents/rule_desk.hpp"
#include "agents/server_optimizers/server_optimizer.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/phases.hpp"

namespace souk {

/// One model and its owner, a server or a buyer, on its way through the rounds: announce, train, collect, aggregate,
/// apply, settle, publish, test.
class ModelServer {
 public:
  /// `trade`: the owner's side of a market; null: updates are given away. Throws InputError. Everything given must
  /// outlive it.
  ModelServer(const Comm& comm, const Federation& federation, const Owner& owner, std::size_t index, Trade* trade);
  /// Collective. Fills `record` alike on every rank.
  void run_round(RoundIndex round, Phases& phases, RoundRecord& record);
  /// Tests the model and decides whether to stop; `final`: no round follows, whatever it decides. Collective.
  void evaluate(bool final, Phases& phases, RoundRecord& record);
  void serialize(Archive& archive);
  std::span<const float> parameters() const { return global_; }
  /// What its parts need: its model, training, rule, judges, attackers, market, tests.
  std::vector<PartFootprint> footprints(int ranks) const;
  /// Names of the parts whose work is of interest by itself.
  static constexpr const char* training_part = "local training";
  static constexpr const char* judging_part = "judging of models";
  const RuleNeeds& needs() const { return needs_; }
  std::size_t tolerated_f() const { return tolerated_f_; }
  /// Sentences about attackers' settings that are allowed and odd; the same for every owner.
  const std::vector<std::string>& remarks_on_attacks() const { return poisoner_.remarks(); }

 private:
  double judging_bytes(double candidates, int ranks) const;
  double gradient_bytes(int ranks) const;
  double judged_samples() const;
  RoundSelection announce(RoundIndex round, RoundRecord& record);
  void train(RoundIndex round, const RoundSelection& selection, Phases& phases);
  void initialise();
  void collect(RoundIndex round, RoundRecord& record);
  void receive(const SentUpdates& sent, RoundRecord& record);
  RuleSetting rule_setting(RoundIndex round) const;
  std::unique_ptr<ModelJudge> make_judge(RoundIndex round, bool with_lies);
  OffersOfRound offers(RoundIndex round) const;
  void choose_offers(RoundIndex round, RoundRecord& record);
  void aggregate_and_apply(RoundIndex round, Phases& phases, RoundRecord& record);
  std::optional<Valuation> valued(RoundIndex round, const RuleSnapshot* before, ModelJudge& judge, RoundRecord& record);
  void settle(RoundIndex round, std::span<const double> weights, const std::optional<Valuation>& valuation,
              RoundRecord& record);
  void measure(RoundIndex round, const RuleOutput& output, double step_norm, const ModelJudge& judge,
               RoundRecord& record);
  void publish(RoundIndex round, RoundRecord& record);
  void apply(const RuleOutput& output, RoundRecord& record);
  void apply_buffers(std::span<const double> weights);
  void reward(const Valuation& valuation);
  QualityTest clean_quality();
  bool assesses(RoundIndex round) const;
  const char* quality_name() const { return federation_.task().quality_name(); }
  void check_target(RoundIndex round, RoundRecord& record);
  void test_on(Evaluator& evaluator, Phases& phases, const std::function<void(const TestResult&)>& use);
  void assess(RoundIndex round, std::span<const double> weights);

  const Comm& comm_;
  const Federation& federation_;
  const scenario::Scenario& scenario_;
  const Owner& owner_;
  std::size_t index_;
  Trade* trade_;
  std::unique_ptr<Aggregator> rule_;
  RuleNeeds needs_;
  bool trains_root_;  ///< on its root data, in every round
  std::size_t tolerated_f_;
  std::unique_ptr<ServerOptimizer> optimizer_;
  Attackers attackers_;
  Poisoner poisoner_;
  LocalRound local_;
  Evaluator evaluator_;
  std::unique_ptr<Evaluator> validation_;  ///< null: nothing is held out
  StopTests stop_tests_;
  double target_;                          ///< quality on root data with which the owner is content; 0: none
  std::unique_ptr<RewardModels> rewards_;  ///< null: sellers are paid in money
  std::vector<float> global_;
  std::vector<float> change_;  ///< [trainable] of the last round
  // A round's work, kept between rounds for its memory.
  std::vector<float> step_;
  RootSamples shown_root_;                      ///< as the owner shows it in this round
  std::vector<ReceivedUpdate> received_;        ///< all that arrived and can be used, ascending identities
  std::vector<AgentId> useless_;                ///< who sent what cannot be used
  std::vector<AgentId> sellers_;                ///< [received] whose they are
  std::vector<double> squares_;                 ///< [received] squared norms
  std::vector<Submission> submissions_;         ///< [received]
  ColumnMatrix updates_;                        ///< [received, trainable], a view
  std::vector<std::size_t> seen_;               ///< which of them the rule sees, ascending
  std::vector<double> claimed_;                 ///< [seen] weights as the owner tells them
  std::optional<ColumnVector> start_;           ///< trainable parameters that the round started from
  std::optional<ColumnVector> root_update_;     ///< as the owner shows it
  std::optional<Contributions> contributions_;  ///< [seen], in rounds in which they are measured
};

}  // namespace souk
