#include "agents/inference/model_inconsistency.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Far below what any weights and inputs add up to.
constexpr float dead_bias = -1e6F;

}  // namespace

ModelInconsistency::ModelInconsistency(const Federation& federation, std::size_t index) : federation_(federation) {
  const scenario::Scenario& scenario = federation.scenario();
  const std::string path = fmt::format("inference.attacks[{}].isolated", index);
  const scenario::Model& model = scenario.task().model();
  const auto& slots = federation.task().layout().slots();
  SOUK_REQUIRE(model.has_mlp() && model.mlp().activation() == scenario::Mlp::RELU && slots.size() >= 4,
               "{}: kills a hidden layer of a perceptron with ReLU, mlp {{ }}, and the network is none", path);
  SOUK_REQUIRE(scenario.task().training().sgd().weight_decay() == 0.0,
               "{}: under task.training.sgd.weight_decay updates of a dead model do not vanish", path);
  SOUK_REQUIRE(
      scenario.communication().has_secure_aggregation(),
      "{}: without communication.secure_aggregation the server sees single updates as they are; set update {{ }}",
      path);
  dead_ = slots[slots.size() - 3];
  polluted_ = slots.back();
}

OtherModel ModelInconsistency::divide(RoundIndex round, std::span<const AgentId> clients,
                                      std::span<const float> model) {
  std::vector<AgentId> honest;
  for (const AgentId client : clients) {
    if (federation_.population().group_of(client) < 0) honest.push_back(client);
  }
  victim_.reset();
  if (honest.empty()) return {};
  Stream random(federation_.scenario().seed(), streams::isolated_client(round));
  victim_ = honest[random.below(static_cast<std::uint32_t>(honest.size()))];
  OtherModel other{.parameters = {model.begin(), model.end()}, .clients = {clients.begin(), clients.end()}};
  std::erase(other.clients, *victim_);
  std::fill_n(other.parameters.begin() + static_cast<std::ptrdiff_t>(dead_.offset), dead_.size, dead_bias);
  return other;
}

template <class See>
void ModelInconsistency::for_each_value(const ServerRound& round, See see) const {
  const ColumnRange columns = round.updates.local_columns();
  for (std::size_t v = columns.begin; v < columns.end; ++v) {
    see(v - columns.begin, v < polluted_.offset || v >= polluted_.offset + polluted_.size);
  }
}

void ModelInconsistency::isolate(const ServerRound& round, std::size_t row, std::span<float> shown) const {
  const auto place = static_cast<std::size_t>(std::ranges::lower_bound(round.seen, row) - round.seen.begin());
  const double share = round.groups->shares[place];
  const auto mean = round.groups->means.row(0);
  for_each_value(round, [&](std::size_t v, bool is_shown) {
    shown[v] = is_shown ? static_cast<float>(static_cast<double>(mean[v]) / share) : 0.0F;
  });
}

double ModelInconsistency::error(const Comm& comm, const ServerRound& round, std::size_t row,
                                 std::span<const float> shown) const {
  ColumnVector difference(round.updates), truth(round.updates);
  const auto update = round.updates.row(row);
  for_each_value(round, [&](std::size_t v, bool is_shown) {
    truth.values()[v] = is_shown ? update[v] : 0.0F;
    difference.values()[v] = shown[v] - truth.values()[v];
  });
  const PanelPlan& plan = round.updates.plan();
  const double length = std::sqrt(squared_norm(comm, plan, truth));
  const double distance = std::sqrt(squared_norm(comm, plan, difference));
  return length > 0.0 ? distance / length : distance;
}

}  // namespace souk
