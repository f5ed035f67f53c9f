#include <algorithm>
#include <array>
#include <optional>

#include "attacks/sybil/bandit.hpp"
#include "attacks/sybil/memory.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

enum Arm : std::uint8_t { honest, reduce_norm, stealthy_blend, add_noise, arms };  // the last only with noise

/// Song et al., later code of the benchmark: a bandit over what members do to their updates.
class AdaptiveSeller final : public CraftWith<Pool> {
 public:
  explicit AdaptiveSeller(const scenario::AdaptiveSeller& config)
      : config_(config), bandits_(config.bandit(), config.noise() > 0.0 ? arms : arms - 1) {}

  bool may_behave() const override { return true; }

  Knowledge usual() const override {
    return config_.threat() == scenario::AdaptiveSeller::ORACLE ? Knowledge::all : Knowledge::own;
  }

  AttackFootprint footprint(const AttackScale& scale) const override {
    AttackFootprint footprint = CraftWith::footprint(scale);
    footprint.held += (scale.group + 1.0) * scale.vector;
    return footprint;
  }

  Crafted craft(const View<Pool>& view) override {
    server_rate_ = view.server_rate;
    const std::optional<ColumnVector> others = believed(view);
    ColumnMatrixBuilder rows(view.comm, view.own.rows(), view.own.dimension());
    std::array<double, arms> pulled{};
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      const auto arm = static_cast<Arm>(bandits_.choose(view, view.members[i]));
      pulled[arm] += 1.0;
      const auto out = rows.row(i);
      std::ranges::copy(view.own.row(i), out.begin());
      act(view, i, arm, others, out);
    }
    Crafted crafted{
        std::move(rows).finish(),
        {{"honest", pulled[honest]}, {"reduce_norm", pulled[reduce_norm]}, {"stealthy_blend", pulled[stealthy_blend]}}};
    if (config_.noise() > 0.0) crafted.diagnostics["add_noise"] = pulled[add_noise];
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      std::ranges::copy(crafted.rows.row(i), submissions_.of(view.members[i], view.own).values().begin());
      submitters_.push_back(view.members[i]);
    }
    return crafted;
  }

  void observe(const Published& published) override {
    bandits_.observe(published);
    if (!published.agents.empty()) {  // else there was no aggregate
      last_aggregate_ = published.step;
      dimension_ = published.dimension;
      if (config_.threat() == scenario::AdaptiveSeller::GRADIENT_INVERSION) take_out_own(published);
    }
    submitters_.clear();
  }

  void serialize(Archive& archive, const Comm& comm) override {
    auto dimension = static_cast<std::int64_t>(last_aggregate_ ? dimension_ : 0);
    archive.field("dimension", dimension);
    bandits_.serialize(archive);
    submissions_.serialize(archive, comm);
    if (dimension == 0) return;
    dimension_ = static_cast<std::size_t>(dimension);
    if (!last_aggregate_) last_aggregate_.emplace();
    serialize_columns(archive, "aggregate", comm, dimension_, *last_aggregate_);
  }

 private:
  void act(const View<Pool>& view, std::size_t i, Arm arm, const std::optional<ColumnVector>& others,
           std::span<float> out) const {
    if (arm == reduce_norm) {
      for (float& value : out) value *= static_cast<float>(config_.reduced());
    } else if (arm == add_noise) {
      add_relative_noise(view, view.members[i], view.own, config_.noise(), out);
    } else if (arm == stealthy_blend && others) {
      const auto share = static_cast<float>(config_.blend());
      for (std::size_t c = 0; c < out.size(); ++c) out[c] = (1.0F - share) * out[c] + share * others->values()[c];
    }
  }

  /// What the member takes for the others' updates; nothing in the first round, except for the oracle.
  std::optional<ColumnVector> believed(const View<Pool>& view) const {
    if (config_.threat() == scenario::AdaptiveSeller::ORACLE) {
      const auto rows = view.known.rows();
      return combine(view.known, std::vector<double>(rows, 1.0 / static_cast<double>(rows)));
    }
    if (!last_aggregate_) return std::nullopt;
    ColumnVector aggregate = *last_aggregate_;
    for (float& value : aggregate.values()) value /= static_cast<float>(server_rate_);
    return aggregate;
  }

  /// The aggregate without the members' own contributions, as far as their shares are published: (step - sum of w_i
  /// u_i) / (1 - sum of w_i), i the members, in units of the server's step.
  void take_out_own(const Published& published) {
    double own_share = 0.0;
    ColumnVector rest = published.step;
    for (std::size_t i = 0; i < published.weights.size(); ++i) {
      if (std::ranges::find(submitters_, published.agents[i]) == submitters_.end()) continue;
      own_share += published.weights[i];
      const auto weight = static_cast<float>(server_rate_ * published.weights[i]);
      const auto submission = submissions_.at(published.agents[i]).values();
      for (std::size_t c = 0; c < submission.size(); ++c) rest.values()[c] -= weight * submission[c];
    }
    if (own_share <= 0.0 || own_share >= 1.0) return;
    for (float& value : rest.values()) value /= static_cast<float>(1.0 - own_share);
    last_aggregate_ = std::move(rest);
  }

  scenario::AdaptiveSeller config_;
  Bandits bandits_;
  double server_rate_ = 1.0;
  std::size_t dimension_ = 0;
  AgentVectors submissions_;
  std::vector<AgentId> submitters_;  ///< of this round
  std::optional<ColumnVector> last_aggregate_;
};

const Register<UpdateAttack, AdaptiveSeller, scenario::AdaptiveSeller> register_adaptive_seller;

}  // namespace
}  // namespace souk
