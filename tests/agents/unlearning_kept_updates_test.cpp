// Operators that turn kept updates, against hand-computed cases and loops written down again.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/training/saved_model.hpp"
#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/kept_shares.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/streams.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_kept_updates_test {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

KeptRound kept_round(std::uint32_t round, const std::vector<std::uint32_t>& clients, std::vector<double> weights,
                     double total, const std::vector<std::vector<float>>& updates) {
  KeptRound kept{
      .round = {round}, .clients = {}, .weights = std::move(weights), .total = total, .updates = {}, .change = {}};
  for (const std::uint32_t client : clients) kept.clients.push_back({client});
  for (const std::vector<float>& update : updates) kept.updates.emplace_back(Comm::self(), update);
  return kept;
}

/// Two rounds of three clients, the second of whom goes. Round 1, equal weights: all make (1/3)(1 + 4 + 7) = 4 and
/// (2 + 0 + 4) / 3 = 2, the others (1 + 7) / 2 = 4 and 3. Round 2, weights .5, .25, .25: all make 2 and 3, the others
/// (.5 * 2 + .25 * 6) / .75 = 10/3 and (.5 * 4 + .25 * 2) / .75 = 10/3.
TEST(FedRecovery, turns_back_what_hand_computation_says) {
  const Comm comm = Comm::self();
  std::vector<KeptRound> rounds;
  rounds.push_back(kept_round(1, {0, 1, 2}, {1.0 / 3, 1.0 / 3, 1.0 / 3}, 1.0, {{1, 2}, {4, 0}, {7, 4}}));
  rounds.push_back(kept_round(2, {0, 1, 2}, {0.5, 0.25, 0.25}, 1.0, {{2, 4}, {-2, 2}, {6, 2}}));
  const std::vector<AgentId> gone{{1}};
  const KeptSteps steps{comm, rounds, gone, 2};
  EXPECT_THAT(turn_by_forgotten(steps, {2}, 1.0),
              ElementsAre(DoubleNear(2.0 - 10.0 / 3, 1e-6), DoubleNear(-1.0 + 3.0 - 10.0 / 3, 1e-6)));
  EXPECT_THAT(turn_by_forgotten(steps, {2}, 0.5),
              ElementsAre(DoubleNear(2.0 - 10.0 / 3, 1e-6), DoubleNear(-0.5 + 3.0 - 10.0 / 3, 1e-6)));
  EXPECT_THAT(share_of_forgotten(steps), ElementsAre(DoubleNear(4.0 / 3 - 0.5, 1e-6), DoubleNear(0.5, 1e-6)));
}

/// Whoever was forgotten before has left the whole step to the others; where nobody else was there, nobody makes one.
TEST(FedRecovery, of_one_after_another_is_of_both_at_once) {
  const Comm comm = Comm::self();
  std::vector<KeptRound> all, rest;
  all.push_back(kept_round(1, {0, 1, 2}, {0.5, 0.25, 0.25}, 1.0, {{1}, {4}, {7}}));
  rest.push_back(kept_round(1, {0, 2}, {0.5, 0.25}, 1.0, {{1}, {7}}));
  const std::vector<AgentId> first{{1}}, second{{2}}, both{{1}, {2}}, everybody{{0}, {1}, {2}};
  const double together = turn_by_forgotten({comm, all, both, 1}, {1}, 1.0)[0];
  EXPECT_NEAR(
      turn_by_forgotten({comm, all, first, 1}, {1}, 1.0)[0] + turn_by_forgotten({comm, rest, second, 1}, {1}, 1.0)[0],
      together, 1e-6);
  EXPECT_NEAR(together, 0.5 + 1.0 + 1.75 - 1.0, 1e-6);
  EXPECT_NEAR(turn_by_forgotten({comm, all, everybody, 1}, {1}, 1.0)[0], 3.25, 1e-6);
}

/// Updates of the first round know nothing of each other.
TEST(FedRecovery, of_one_round_is_retraining) {
  const Finished run(run_of(1, "mlp { hidden: 6 }", "batch_size: 16 learning_rate: 0.1",
                            "clients { ids: 2 } fed_recovery {} reference {}"));
  EXPECT_LT(run.number("unlearning.r.relative_distance"), 1e-5);
}

/// FedEraser over two rounds, written down again by local trainings.
class TwoRounds {
 public:
  TwoRounds()
      : plain_(run_of(2, "mlp { hidden: 5 }", training(), "")), start_(initial_parameters(plain_.federation(), 0)) {
    std::vector<float> all = start_;
    for (std::uint32_t client = 0; client < 4; ++client) first_.push_back(trained(start_, client, 1));
    for (std::uint32_t client = 0; client < 4; ++client) add(share(client, {0, 1, 2, 3}), first_[client], all);
    for (std::uint32_t client = 0; client < 4; ++client) second_.push_back(trained(all, client, 2));
  }
  static std::string training() { return "batch_size: 16 learning_rate: 0.1"; }
  static constexpr std::array<std::uint32_t, 3> others{0, 1, 3};
  std::vector<float> after_first() const {
    std::vector<float> model = start_;
    for (const std::uint32_t client : others) add(share(client, {0, 1, 3}), first_[client], model);
    return model;
  }
  std::vector<float> paper() const {
    std::vector<float> model = after_first();
    const std::vector<float> from = model;
    for (const std::uint32_t client : others) {
      const std::vector<float> turned = trained(from, client, 2);
      const std::vector<double> u(second_[client].begin(), second_[client].end()), v(turned.begin(), turned.end());
      add(share(client, {0, 1, 3}) * length(u) / length(v), turned, model);
    }
    return model;
  }
  /// Averages first, by tensors, with the length that the authors' code has.
  std::vector<float> code() const {
    std::vector<float> model = start_, direction(start_.size(), 0.0F), kept(start_.size(), 0.0F),
                       change(start_.size(), 0.0F);
    for (const std::uint32_t client : others) add(1.0 / 3, first_[client], model);
    for (const std::uint32_t client : others) add(1.0 / 3, trained(model, client, 2), direction);
    for (const std::uint32_t client : others) add(1.0 / 3, second_[client], kept);
    for (std::uint32_t client = 0; client < 4; ++client) add(share(client, {0, 1, 2, 3}), second_[client], change);
    for (const Slot& slot : plain_.task().layout().slots()) {
      const auto of = [&](const std::vector<double>& v) {
        return length(std::span(v).subspan(slot.offset, slot.size));
      };
      const double norm = of({direction.begin(), direction.end()});
      const double step = of(difference(kept, change));
      for (std::size_t v = slot.offset; v < slot.offset + slot.size; ++v)
        model[v] += static_cast<float>(step / norm * direction[v]);
    }
    return model;
  }
  std::vector<float> uncalibrated() const {
    std::vector<float> model = after_first();
    for (const std::uint32_t client : others) add(share(client, {0, 1, 3}), second_[client], model);
    return model;
  }
  std::vector<float> model(const std::string& form) const {
    return Finished(run_of(2, "mlp { hidden: 5 }", training(),
                           "clients { ids: 2 } fed_eraser { every: 1 calibration_ratio: 1 form: " + form + " }"))
        .model();
  }
  double distance(const std::vector<float>& a, const std::vector<float>& b) const {
    return length(difference(a, b)) / length(difference(b, start_));
  }

 private:
  std::vector<float> trained(const std::vector<float>& from, std::uint32_t client, std::uint32_t round) const {
    std::vector<float> update(from.size());
    const LocalContext context{
        .seed = plain_.resolved.scenario->seed(), .agent = {client}, .round = {round}, .rounds = 3};
    plain_.task().train(from, plain_.units_of(client), {}, context, update);
    return update;
  }
  double share(std::uint32_t client, const std::vector<std::uint32_t>& of) const {
    double all = 0.0;
    for (const std::uint32_t other : of) all += static_cast<double>(plain_.units_of(other).size());
    return static_cast<double>(plain_.units_of(client).size()) / all;
  }
  static void add(double weight, const std::vector<float>& update, std::vector<float>& model) {
    for (std::size_t v = 0; v < model.size(); ++v) model[v] += static_cast<float>(weight * update[v]);
  }
  Finished plain_;
  std::vector<float> start_;
  std::vector<std::vector<float>> first_, second_;  ///< [clients] updates
};

TEST(FedEraser, of_two_rounds_is_what_its_formula_says) {
  const TwoRounds rounds;
  EXPECT_LT(rounds.distance(rounds.model("PAPER"), rounds.paper()), 1e-4);
  EXPECT_LT(rounds.distance(rounds.model("CODE"), rounds.code()), 1e-4);
  EXPECT_LT(rounds.distance(rounds.model("UNCALIBRATED"), rounds.uncalibrated()), 1e-4);
}

}  // namespace
}  // namespace souk::unlearning_kept_updates_test
