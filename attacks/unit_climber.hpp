#pragma once

#include <span>
#include <vector>

#include "attacks/knowledge.hpp"
#include "sim/base/random.hpp"

namespace souk {

/// A unit vector e that moves by random directions u, and its dot products with two others, a and b: one pass over the
/// coordinates gives them for all of e + length u.
class UnitClimber {
 public:
  struct Products {
    double a = 0.0, b = 0.0;
  };

  /// From the direction of `start`; 0 stays 0 until it moves. `a` and `b` must outlive the climber. Draws of its own
  /// per agent, round, panel and lane; lane < 256. Collective.
  UnitClimber(const PublicRound& round, AgentId agent, std::uint16_t lane, const ColumnMatrix& like,
              std::span<const float> start, const ColumnVector& a, const ColumnVector& b);
  UnitClimber(const UnitClimber&) = delete;
  UnitClimber& operator=(const UnitClimber&) = delete;

  std::span<const float> unit() const { return unit_.values(); }
  Products products() const { return {unit_dots_[0], unit_dots_[1]}; }
  /// Of unit(e + length u).
  Products products_at(double length) const;

  /// A new u: independent normal values of deviation sigma. Collective.
  void draw(double sigma);
  /// e <- unit(e + length u).
  void move(double length);
  /// Removes what roundings have left. Collective.
  void normalise();

 private:
  double norm_at(double length) const;

  const Comm& comm_;
  ColumnVector unit_, direction_;
  ColumnMatrix rows_;           ///< a view: a, b, e, u
  std::vector<Stream> random_;  ///< one per panel of this rank
  std::vector<double> unit_dots_, direction_dots_;
};

}  // namespace souk
