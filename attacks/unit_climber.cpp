#include "attacks/unit_climber.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"

namespace souk {

UnitClimber::UnitClimber(const PublicRound& round, AgentId agent, std::uint16_t lane, const ColumnMatrix& like,
                         std::span<const float> start, const ColumnVector& a, const ColumnVector& b)
    : comm_(round.comm), unit_(like), direction_(like) {
  std::ranges::copy(start, unit_.values().begin());
  rows_ =
      like.select(comm_, {}).with_row(comm_, a).with_row(comm_, b).with_row(comm_, unit_).with_row(comm_, direction_);
  for (const Panel& panel : like.panels()) {
    random_.emplace_back(round.seed, streams::update_values(agent, round.round, lane, panel.index));
  }
  normalise();
}

UnitClimber::Products UnitClimber::products_at(double length) const {
  const double norm = norm_at(length);
  if (norm == 0.0) return {};
  return {(unit_dots_[0] + length * direction_dots_[0]) / norm, (unit_dots_[1] + length * direction_dots_[1]) / norm};
}

void UnitClimber::draw(double sigma) {
  for (std::size_t p = 0; p < random_.size(); ++p) {
    for (float& value : direction_.panel(rows_.panels()[p])) value = static_cast<float>(sigma * random_[p].normal());
  }
  direction_dots_ = dots(comm_, rows_, direction_);
}

void UnitClimber::move(double length) {
  const double norm = norm_at(length);
  if (norm == 0.0) return;
  for (std::size_t c = 0; c < unit_.values().size(); ++c) {
    const double moved = static_cast<double>(unit_.values()[c]) + length * static_cast<double>(direction_.values()[c]);
    unit_.values()[c] = static_cast<float>(moved / norm);
  }
  const Products products = products_at(length);
  unit_dots_ = {products.a, products.b, 1.0};
}

void UnitClimber::normalise() {
  unit_dots_ = dots(comm_, rows_, unit_);
  const double norm = std::sqrt(unit_dots_[2]);
  if (norm == 0.0) return;
  for (float& value : unit_.values()) value = static_cast<float>(static_cast<double>(value) / norm);
  unit_dots_ = {unit_dots_[0] / norm, unit_dots_[1] / norm, 1.0};
}

double UnitClimber::norm_at(double length) const {
  return std::sqrt(std::max(0.0, unit_dots_[2] + length * (2.0 * direction_dots_[2] + length * direction_dots_[3])));
}

}  // namespace souk
