#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

/// The submissions origin + gamma direction: what attacks that search for a length search among.
struct Ray {
  ColumnVector origin, direction;
};

/// In which direction the mean is moved: -mean / |mean|, -standard deviation, or -sign of the mean. Numbered as in the
/// scenarios.
enum class Perturbation : std::uint8_t { unit = 0, deviation = 1, sign = 2 };

/// From the mean of the updates along a perturbation; a direction of 0 where there is none. Collective.
Ray perturbed_mean(const Comm& comm, const ColumnMatrix& updates, Perturbation perturbation);

/// The ray's point at gamma, in each of `rows` rows.
ColumnMatrix copies_at(const Comm& comm, const ColumnMatrix& like, const Ray& ray, double gamma, std::size_t rows);

/// constant + linear gamma + square gamma^2.
struct Quadratic {
  double constant = 0.0, linear = 0.0, square = 0.0;
  double at(double gamma) const { return constant + gamma * (linear + gamma * square); }
};

/// Largest gamma >= 0 at which a quadratic, convex and at most `level` at 0, is at most `level`; 0 where that is
/// everywhere.
double last_within(const Quadratic& quadratic, double level);

/// Squared distances of updates to the points of a ray, [k].
std::vector<Quadratic> distances_from_zero(const std::vector<double>& squared_norms, const std::vector<double>& along,
                                           double square);

/// The same where the ray starts in the updates' mean: whose distances are those among the updates, averaged. `along`:
/// the updates' dot products with the direction; `square`: its squared norm.
std::vector<Quadratic> distances_from_mean(const SymmetricMatrix& squared_distances, const std::vector<double>& along,
                                           double square);

/// Dot products of updates with the points of a ray that starts in their mean, [k].
std::vector<Quadratic> products_from_mean(const SymmetricMatrix& gram, const std::vector<double>& along);

/// Squared norm of the points of a ray that starts in the updates' mean.
Quadratic norm_from_mean(const SymmetricMatrix& gram, const std::vector<double>& along, double square);

/// A symmetric matrix over updates, and behind them equal copies of a ray's point: their distances, or products. A step
/// along the ray costs the border alone.
class BorderedMatrix {
 public:
  /// `border`: entries of a copy and an update, [k]; `corner`: those of two copies, and of one and itself.
  BorderedMatrix(const SymmetricMatrix& inner, std::vector<Quadratic> border, Quadratic corner, std::size_t copies);
  const SymmetricMatrix& at(double gamma);

 private:
  SymmetricMatrix matrix_;
  std::vector<Quadratic> border_;
  Quadratic corner_;
};

}  // namespace souk
