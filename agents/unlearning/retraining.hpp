#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "agents/simulation.hpp"
#include "agents/stage.hpp"
#include "agents/unlearning/history.hpp"

namespace souk {

/// The world as it would be if what the federation has forgotten had never been there: the same scenario without
/// requests and services, over the same cast, data and deal, from the first round on. Everybody else's streams are the
/// same, so that only what depends on the forgotten differs.
class Retraining {
 public:
  /// `seed`: of initial weights, batches, selection; the world's own where it is not given. Collective.
  explicit Retraining(const World& world, std::optional<std::uint64_t> seed = {});
  ~Retraining();
  /// Goes on from a saved state.
  void start_from(const SavedState& state);
  /// Trains in all rounds up to this one, or until nothing more is learned. Collective.
  void train_through(RoundIndex last);
  ModelServer& model(std::size_t owner) { return simulation_->model(owner); }
  const ForgettingCost& cost() const { return cost_; }

 private:
  const World& world_;
  std::unique_ptr<scenario::Scenario> scenario_;
  std::unique_ptr<Simulation> simulation_;
  RoundIndex done_{0};
  ForgettingCost cost_;
};

/// Local training of some of a client's passes, in costs.
ForgettingCost training_cost(const Federation& federation, std::size_t units, double passes);
/// Of all that a round of learning took.
ForgettingCost cost_of_round(const Federation& federation, const RoundRecord& record);
ForgettingCost& operator+=(ForgettingCost& cost, const ForgettingCost& more);

}  // namespace souk
