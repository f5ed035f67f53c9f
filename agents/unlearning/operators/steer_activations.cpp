#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/answer_turn.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {
namespace {

/// Answers are turned away from what is forgotten where they are asked for; the model stays as it is. That a direction
/// is estimated from what is forgotten and what stays, and added at test time behind a gate that the input decides, is
/// MLLMEraser's idea; which layer, direction and gate is Souk's own.
class SteerActivations final : public UnlearningOperator {
 public:
  explicit SteerActivations(const scenario::SteerActivations& config) : config_(config) {}

  Forgettable forgets() const override { return {.graph = false}; }

  void check(const World& world) const override {
    SOUK_REQUIRE(world.federation.task().rows() != nullptr,
                 "turns answers about rows, and the samples of the data set are nodes of a graph");
    SOUK_REQUIRE(affine_end_of(world.federation.task().layout()),
                 "moves the input of an affine last layer, which is the sample itself where there is no layer before "
                 "it: take a network with hidden layers");
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    ForgettingCost cost;
    const std::vector<DealtUnits> stay = units_that_stay(request.federation());
    for (ModelServer* server : request.servers) {
      if (stay.empty() || request.holders.empty()) {
        record.events.push_back({"steer_activations", -1, "nothing to tell apart: the answers are what they were"});
        continue;
      }
      const std::vector<double> rest = mean_input(*server, stay, cost),
                                gone = mean_input(*server, request.holders, cost);
      if (std::optional<AnswerTurn> turn = away_from(gone, rest)) {
        server->turn_answers(std::move(*turn));
      } else {
        record.events.push_back({"steer_activations", -1, "both means are one: the answers are what they were"});
      }
    }
    return cost;
  }

 private:
  /// Mean input of the last layer over the clients' units, as they train on them. Each client sends a sum.
  static std::vector<double> mean_input(ModelServer& server, std::span<const DealtUnits> holders,
                                        ForgettingCost& cost) {
    const Federation& federation = server.federation();
    RowTask& task = *federation.task().rows();
    const AffineEnd layer = *affine_end_of(task.layout());
    ClientSums sums(server, holders);
    std::vector<double> ignored(task.tally_size());
    std::vector<double> mean = sums.sum([&](UnitSet units, const BatchEdit& edit, std::span<float> out) {
      std::ranges::fill(out, 0.0F);
      for (std::size_t first = 0; first < layer.inputs; first += layer.outputs) {
        task.tally(reading_out(server.parameters(), layer, first), Split::train, units, ignored, edit);
        const std::size_t count = std::min(layer.outputs, layer.inputs - first);
        for (std::size_t j = 0; j < count; ++j) {
          double sum = 0.0;
          for (std::size_t i = 0; i < units.size(); ++i) {
            sum += static_cast<double>(task.outputs()[i * layer.outputs + j]);
          }
          out[first + j] = static_cast<float>(sum / static_cast<double>(units.size()));
        }
      }
    });
    mean.resize(layer.inputs);
    for (double& value : mean) value /= static_cast<double>(sums.units());
    cost += training_cost(federation, sums.units(), 1.0 / 3.0);
    cost.megabytes +=
        static_cast<double>(holders.size() * (task.layout().dimension() + layer.inputs) * sizeof(float)) / 1e6;
    ++cost.messages;
    return mean;
  }

  /// None where the two are the same.
  std::optional<AnswerTurn> away_from(const std::vector<double>& gone, const std::vector<double>& rest) const {
    std::vector<double> direction(rest), middle(rest);
    for (std::size_t j = 0; j < rest.size(); ++j) {
      direction[j] = rest[j] - gone[j];
      middle[j] = 0.5 * (rest[j] + gone[j]);
    }
    const double squared = std::inner_product(direction.begin(), direction.end(), direction.begin(), 0.0);
    if (squared == 0.0) return std::nullopt;
    AnswerTurn turn{.offset = static_cast<float>(
                        std::inner_product(middle.begin(), middle.end(), direction.begin(), 0.0) / squared),
                    .strength = static_cast<float>(config_.strength()),
                    .sharpness = static_cast<float>(config_.sharpness())};
    for (const double d : direction) {
      turn.direction.push_back(static_cast<float>(d));
      turn.probe.push_back(static_cast<float>(-d / squared));
    }
    return turn;
  }

  const scenario::SteerActivations& config_;
};

const Register<UnlearningOperator, SteerActivations, scenario::SteerActivations> register_steer_activations;

}  // namespace
}  // namespace souk
