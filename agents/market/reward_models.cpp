#include "agents/market/reward_models.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Place of every value in the order of its layer, the largest magnitude first; [values].
std::vector<std::uint32_t> places_by_magnitude(std::span<const float> layer) {
  std::vector<std::uint32_t> order(layer.size()), places(layer.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::greater{}, [&](std::uint32_t v) { return std::abs(layer[v]); });
  for (std::uint32_t place = 0; place < order.size(); ++place) places[order[place]] = place;
  return places;
}

/// The part of a layer that a range of columns holds.
ColumnRange overlap(const Slot& slot, ColumnRange columns) {
  const std::size_t begin = std::max(slot.offset, columns.begin);
  return {begin, std::max(begin, std::min(slot.offset + slot.size, columns.end))};
}

}  // namespace

RewardModels::RewardModels(const Comm& comm, const ParameterLayout& layout, std::span<const float> start,
                           std::size_t sellers)
    : comm_(comm),
      layout_(layout),
      plan_(layout.trainable()),
      columns_(plan_.columns_of(comm.rank(), comm.size())),
      models_(sellers, ColumnVector(comm, start)) {
  SOUK_EXPECT(start.size() == layout.trainable());
}

void RewardModels::earn(std::span<const float> step, std::span<const AgentId> sellers, std::span<const double> shares) {
  SOUK_EXPECT(step.size() == plan_.dimension() && sellers.size() == shares.size());
  for (const Slot& slot : layout_.slots()) {
    const ColumnRange mine = overlap(slot, columns_);
    if (!slot.trainable || mine.size() == 0) continue;
    const std::vector<std::uint32_t> places = places_by_magnitude(step.subspan(slot.offset, slot.size));
    for (std::size_t i = 0; i < sellers.size(); ++i) {
      const double kept = std::ceil(shares[i] * static_cast<double>(slot.size));
      const std::span<float> model = models_[sellers[i].value].values();
      for (std::size_t v = mine.begin; v < mine.end; ++v) {
        if (places[v - slot.offset] < kept) model[v - columns_.begin] += step[v];
      }
    }
  }
}

void RewardModels::record(const QualityTest& quality, std::span<const float> rest, RoundRecord& record) const {
  std::vector<float> parameters(plan_.dimension() + rest.size());
  std::ranges::copy(rest, parameters.begin() + static_cast<std::ptrdiff_t>(plan_.dimension()));
  for (std::size_t seller = 0; seller < models_.size(); ++seller) {
    replicate(comm_, plan_, models_[seller], std::span(parameters).first(plan_.dimension()));
    record.add("reward_" + quality.name, quality.of(parameters), static_cast<std::int64_t>(seller));
  }
}

Footprint RewardModels::footprint(std::size_t trainable, std::size_t sellers, int ranks) {
  const auto own = static_cast<double>(widest_part(PanelPlan(trainable), ranks) * sizeof(float));
  Footprint footprint;
  footprint.held = static_cast<double>(sellers) * own;
  footprint.at(Moment::testing) = static_cast<double>(trainable * sizeof(float));
  return footprint;
}

void RewardModels::serialize(Archive& archive) {
  for (std::size_t seller = 0; seller < models_.size(); ++seller) {
    serialize_columns(archive, fmt::format("reward model {}", seller), comm_, plan_.dimension(), models_[seller]);
  }
}

}  // namespace souk
