#include <algorithm>
#include <deque>

#include "attacks/sybil/memory.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song et al., later code of the benchmark: the competitor's update, as it is or a little disguised.
class CompetitorMimicry final : public CraftWith<Pool, Everyone> {
 public:
  explicit CompetitorMimicry(const scenario::CompetitorMimicry& config) : config_(config) {}

  AttackFootprint footprint(const AttackScale& scale) const override {
    AttackFootprint footprint = CraftWith::footprint(scale);
    footprint.held += config_.window() * scale.vector;
    return footprint;
  }

  Crafted craft(const View<Pool, Everyone>& view) override {
    dimension_ = view.own.dimension();
    ColumnVector copied(view.honest);
    std::ranges::copy(view.honest.row(victim_row(view)), copied.values().begin());
    if (config_.kind() == scenario::CompetitorMimicry::AVERAGED) copied = averaged(copied);
    if (config_.kind() == scenario::CompetitorMimicry::SCALED) {
      for (float& value : copied.values()) value *= static_cast<float>(config_.scale());
    }
    ColumnMatrixBuilder rows(view.comm, view.members.size(), dimension_);
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      std::ranges::copy(copied.values(), rows.row(i).begin());
      if (config_.kind() == scenario::CompetitorMimicry::NOISY) {
        add_relative_noise(view, view.members[i], view.own, config_.noise(), rows.row(i));
      }
    }
    return {std::move(rows).finish()};
  }

  void serialize(Archive& archive, const Comm& comm) override {
    auto dimension = static_cast<std::int64_t>(dimension_);
    auto rounds = static_cast<std::int64_t>(history_.size());
    archive.field("dimension", dimension);
    archive.field("rounds", rounds);
    dimension_ = static_cast<std::size_t>(dimension);
    history_.resize(static_cast<std::size_t>(rounds));
    for (ColumnVector& update : history_) serialize_columns(archive, "copied", comm, dimension_, update);
  }

 private:
  /// The victim's row, or that of the next benign client; without any, the first member's own.
  std::size_t victim_row(const View<Pool, Everyone>& view) const {
    for (const std::size_t row : view.benign) {
      if (view.agents[row].value >= config_.victim()) return row;
    }
    return view.benign.empty() ? view.rows.front() : view.benign.front();
  }

  ColumnVector averaged(const ColumnVector& newest) {
    history_.push_back(newest);
    if (history_.size() > config_.window()) history_.pop_front();
    ColumnVector mean = newest;
    std::ranges::fill(mean.values(), 0.0F);
    const auto share = 1.0F / static_cast<float>(history_.size());
    for (const ColumnVector& update : history_) {
      for (std::size_t c = 0; c < mean.values().size(); ++c) mean.values()[c] += share * update.values()[c];
    }
    return mean;
  }

  scenario::CompetitorMimicry config_;
  std::size_t dimension_ = 0;
  std::deque<ColumnVector> history_;
};

const Register<UpdateAttack, CompetitorMimicry, scenario::CompetitorMimicry> register_competitor_mimicry;

}  // namespace
}  // namespace souk
