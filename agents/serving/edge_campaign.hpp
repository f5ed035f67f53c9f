#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/serving/asked_pairs.hpp"
#include "agents/serving/edge_metrics.hpp"
#include "attacks/edge_attack.hpp"
#include "sim/comm/comm.hpp"
#include "sim/engine/phases.hpp"
#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Archive;

/// A principal, and what it has asked for so far.
struct PrincipalAccount {
  PrincipalTerms terms;
  RequestCounts asked{};
  bool works = false;  ///< for some attack

  /// Whether so much more is within the budget.
  bool affords(const RequestCounts& more) const;
};

/// One attack's work through the rounds: its questions are dealt to the ranks, what comes of them is gathered, and then
/// counted against the principal's budget question by question, in order, on every rank alike: what a budget refuses
/// depends on nothing but the order of questions. A pair whose requests are refused has no score.
class EdgeCampaign {
 public:
  /// `index`: of the attack in the scenario. All of it must outlive it.
  /// Throws InputError.
  EdgeCampaign(const scenario::EdgeInference& config, std::size_t index, const Graph& graph,
               const GraphNetwork& network, const scenario::Scenario& scenario,
               std::vector<PrincipalAccount>& principals);

  const std::string& name() const { return counting_.name; }
  /// As the attack has it.
  std::size_t ticks() const { return attack_->ticks(); }
  /// Questions up to share i + 1 of n, of which share i is done. `background`: all that anybody could know. Collective.
  /// `model`: what the served one is called, another for each.
  void work(const Service& service, const std::string& model, RoundIndex round, std::size_t i, std::size_t n,
            const Comm& comm, const Background& background, Phases& phases, RoundRecord& record);
  /// Metrics and pairs of all that was reached.
  void finish(RoundRecord& record) const;
  /// What of it cannot have any effect.
  void set_up(SetUpRecord& record) const;
  void serialize(Archive& archive);
  /// Bytes of a rank.
  double bytes(double nodes) const;

 private:
  /// What came of a question.
  struct Answer {
    std::vector<double> scores;  ///< [candidates]
    Usage set_up;
    std::vector<Usage> trials;  ///< [candidates], or one
    double guess = -1.0;        ///< of the target's class; -1: none
  };
  std::size_t trials_of(const EdgeQuestion& question) const {
    return attack_->target_at_once() ? 1 : question.candidates.size();
  }
  Answer answer(const Service& service, const EdgeQuestion& question, std::uint64_t seed, const Background& background);
  void pack(const Answer& answer, std::vector<double>& out) const;
  Answer unpack(const EdgeQuestion& question, std::span<const double>& values) const;
  std::size_t packed_size(const EdgeQuestion& question) const;
  Background granted(const Background& background) const;
  bool prepare(const Service& service, const Background& background, RoundRecord& record);
  void account(std::size_t question, Answer answer, RoundRecord& record);
  /// Books what was asked; false: the budget refuses it.
  bool book(const Usage& usage, Usage& total);
  void log(std::int64_t target, const Usage& usage, RoundRecord& record);

  std::unique_ptr<EdgeAttack> attack_;
  EdgeCounting counting_;
  const Graph& graph_;
  std::vector<PrincipalAccount>& principals_;
  std::uint64_t knowledge_seed_;  ///< of the attack's own draws, in every round
  bool market_;                   ///< there is one, and payments are booked in its ledger
  std::size_t principal_ = 0;
  AskedPairs asked_;
  std::vector<std::vector<double>> scores_;  ///< [questions] [candidates]
  Usage total_;                              ///< that was booked
  std::uint64_t beyond_budget_ = 0;          ///< pieces of work that the budget refused
  std::uint64_t overflown_ = 0;              ///< pairs whose numbers were too large to be any
  std::size_t hops_ = 0;                     ///< of the network
  bool in_double_ = true;                    ///< answers are computed so
  std::string prepared_for_;                 ///< model for which the attack has looked at all; empty: none
  std::string paid_for_;                     ///< likewise, and what that took is booked
  std::int64_t guesses_ = 0, right_ = 0, spent_ = 0;
};

}  // namespace souk
