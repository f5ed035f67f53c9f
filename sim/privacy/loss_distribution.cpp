#include "sim/privacy/loss_distribution.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "sim/base/contract.hpp"
#include "sim/privacy/fourier.hpp"

namespace souk {
namespace {

constexpr double tail_of_release = 1e-15;  ///< mass that a grid may leave out at an end
constexpr double tail_of_sum = 1e-14;      ///< the same of a composition
constexpr double largest_exponent = 700.0;
constexpr double infinite = std::numeric_limits<double>::infinity();

/// A normal variable's mass up to a place, or from there on: whichever is the smaller and has no cancellation.
struct Tail {
  double mass = 0.0;
  bool upper = false;
};

Tail tail_at(double place, double mean, double sigma) {
  const double z = (place - mean) / (std::numbers::sqrt2 * sigma);
  return {0.5 * std::erfc(std::abs(z)), z >= 0.0};
}

double between(const Tail& low, const Tail& high) {
  if (low.upper) return low.mass - high.mass;
  return high.upper ? 1.0 - low.mass - high.mass : high.mass - low.mass;
}

/// The pair of one direction, cell by cell along the outcome x: N(0, sigma^2) and (1 - q) N(0, sigma^2) + q N(1,
/// sigma^2).
class Pair {
 public:
  Pair(double q, double sigma, Neighbour direction) : q_(q), sigma_(sigma), removes_(direction == Neighbour::remove) {}

  /// Largest losses that matter: with P-mass below tail_of_release beyond.
  double highest() const { return removes_ ? log_ratio(1.0 + reach()) : -log_ratio(-reach()); }
  double lowest() const { return removes_ ? log_ratio(-reach()) : -log_ratio(reach()); }

  /// Where the loss is t, and what lies on the side of smaller x there.
  struct Edge {
    Tail plain, shifted;
  };
  Edge edge(double t) const {
    const double x = removes_ ? place_of(t) : place_of(-t);
    return {tail_at(x, 0.0, sigma_), tail_at(x, 1.0, sigma_)};
  }

  struct Masses {
    double p, q;
  };
  /// Of losses between those of two edges.
  Masses cell(const Edge& smaller, const Edge& larger) const {
    const Edge& left = removes_ ? smaller : larger;
    const Edge& right = removes_ ? larger : smaller;
    const double plain = between(left.plain, right.plain);
    const double mixed = (1.0 - q_) * plain + q_ * between(left.shifted, right.shifted);
    return removes_ ? Masses{mixed, plain} : Masses{plain, mixed};
  }
  Edge least() const { return removes_ ? left_end() : right_end(); }
  Edge greatest() const { return removes_ ? right_end() : left_end(); }

 private:
  static Edge left_end() { return {{0.0, false}, {0.0, false}}; }
  static Edge right_end() { return {{0.0, true}, {0.0, true}}; }
  double reach() const { return 8.0 * sigma_; }  // a tail of 6e-16

  /// ln of the mixed density over the plain one.
  double log_ratio(double x) const {
    const double exponent = (2.0 * x - 1.0) / (2.0 * sigma_ * sigma_);
    if (q_ == 1.0) return exponent;
    return exponent > 0.0 ? exponent + std::log(q_ + (1.0 - q_) * std::exp(-exponent))
                          : std::log1p(q_ * std::expm1(exponent));
  }
  /// Its inverse; minus infinity where it is never so small.
  double place_of(double t) const {
    if (q_ == 1.0) return sigma_ * sigma_ * t + 0.5;
    // ln(e^t - 1 + q), which must not overflow.
    const double scaled =
        t > 0.0 ? t + std::log1p((q_ - 1.0) * std::exp(-t)) : std::log(std::max(0.0, std::expm1(t) + q_));
    return sigma_ * sigma_ * (scaled - std::log(q_)) + 0.5;
  }

  double q_, sigma_;
  bool removes_;
};

/// Bound by Chernoff on what the sum of losses (sign 1), or minus it (sign -1), exceeds with a mass of tail_of_sum at
/// most; no further than what it can be at all.
double reach_of_sum(std::span<const ComposedLoss> losses, double sign) {
  double reach = 0.0;
  for (const auto& [loss, count] : losses) {
    const auto last = static_cast<double>(loss->first) + static_cast<double>(loss->mass.size()) - 1.0;
    const double end = sign > 0.0 ? last : static_cast<double>(loss->first);
    reach += static_cast<double>(count) * sign * end * loss->step;
  }
  constexpr int tried = 200;
  for (int i = 0; i < tried; ++i) {
    const double lambda = 0.01 * std::pow(2e4, i / (tried - 1.0));
    double log_moment = 0.0;
    for (const auto& [loss, count] : losses) {
      const auto first = static_cast<double>(loss->first);
      const std::size_t n = loss->mass.size();
      // e^(lambda L) relative to the largest, factor by factor.
      const double top = sign > 0.0 ? first + static_cast<double>(n) - 1.0 : first;
      const double factor = std::exp(-lambda * loss->step);
      double power = 1.0, sum = 0.0;
      for (std::size_t k = 0; k < n && power > 0.0; ++k, power *= factor) {
        sum += power * loss->mass[sign > 0.0 ? n - 1 - k : k];
      }
      // Where the largest losses have no mass, a sum of what is left underflows: this lambda says nothing.
      log_moment += sum > 0.0 ? static_cast<double>(count) * (std::log(sum) + lambda * sign * top * loss->step)
                              : std::numeric_limits<double>::infinity();
    }
    reach = std::min(reach, (log_moment - std::log(tail_of_sum)) / lambda);
  }
  return reach;
}

/// The grid points from `first` on that the sum of losses lies on, all but its tails.
struct Window {
  std::int64_t first = 0;
  std::size_t points = 0;
};

Window window_of(std::span<const ComposedLoss> losses) {
  const double step = losses.front().loss->step;
  const auto first = static_cast<std::int64_t>(std::floor(-reach_of_sum(losses, -1.0) / step));
  const auto last = static_cast<std::int64_t>(std::ceil(reach_of_sum(losses, 1.0) / step));
  auto points = static_cast<std::size_t>(std::max<std::int64_t>(1, last - first + 1));
  for (const ComposedLoss& part : losses) points = std::max(points, part.loss->mass.size());
  return {first, std::bit_ceil(points)};
}

std::complex<double> whole_power(std::complex<double> base, std::uint64_t exponent) {
  std::complex<double> result = 1.0;
  for (; exponent > 0; exponent >>= 1U) {
    if ((exponent & 1U) != 0) result *= base;
    base *= base;
  }
  return result;
}

/// Masses of the sum on the window's points; what is outside has wrapped around.
std::vector<double> composed(std::span<const ComposedLoss> losses, const Window& window) {
  const Fourier fourier(window.points);
  const auto length = static_cast<std::int64_t>(window.points);
  const auto place = [&](std::int64_t loss) { return static_cast<std::size_t>(((loss % length) + length) % length); };
  std::vector<std::complex<double>> all(window.points, 1.0), one(window.points);
  for (const auto& [loss, count] : losses) {
    std::ranges::fill(one, 0.0);
    for (std::size_t k = 0; k < loss->mass.size(); ++k) {
      one[place(loss->first + static_cast<std::int64_t>(k))] += loss->mass[k];
    }
    fourier.forward(one);
    for (std::size_t k = 0; k < all.size(); ++k) all[k] *= whole_power(one[k], count);
  }
  fourier.inverse(all);
  std::vector<double> mass(window.points);
  for (std::size_t k = 0; k < mass.size(); ++k) {
    mass[k] = std::max(0.0, all[place(window.first + static_cast<std::int64_t>(k))].real());
  }
  return mass;
}

}  // namespace

LossDistribution loss_distribution(double sampling, double noise, Neighbour direction, double step) {
  SOUK_EXPECT(sampling > 0.0 && sampling <= 1.0 && noise > 0.0 && step > 0.0);
  const Pair pair(sampling, noise, direction);
  LossDistribution loss{.step = step, .first = static_cast<std::int64_t>(std::floor(pair.lowest() / step))};
  const auto last = std::max(loss.first + 1, static_cast<std::int64_t>(std::ceil(pair.highest() / step)));
  loss.mass.assign(static_cast<std::size_t>(last - loss.first + 1), 0.0);
  Pair::Edge before = pair.edge(static_cast<double>(loss.first) * step);
  loss.mass[0] = pair.cell(pair.least(), before).p;
  const double width = -std::expm1(-step);
  for (std::size_t k = 1; k < loss.mass.size(); ++k) {
    const double lower = static_cast<double>(loss.first + static_cast<std::int64_t>(k) - 1) * step;
    const Pair::Edge edge = pair.edge(lower + step);
    const Pair::Masses cell = pair.cell(before, edge);
    // Beyond what exp can say all goes up, which is never too little.
    const double below = lower < largest_exponent ? std::exp(lower) * cell.q : 0.0;
    const double up = std::clamp((cell.p - below) / width, 0.0, cell.p);
    loss.mass[k] += up;
    loss.mass[k - 1] += cell.p - up;
    before = edge;
  }
  loss.beyond = pair.cell(before, pair.greatest()).p;
  return loss;
}

std::size_t grid_points(std::span<const ComposedLoss> losses) { return window_of(losses).points; }

double epsilon_of(std::span<const ComposedLoss> losses, double delta) {
  SOUK_EXPECT(delta >= 1e-11 && delta < 1.0);
  double log_within = 0.0;
  for (const auto& [loss, count] : losses) log_within += static_cast<double>(count) * std::log1p(-loss->beyond);
  const double left = delta + std::expm1(log_within) - 2.0 * tail_of_sum;
  if (left <= 0.0) return infinite;
  const Window window = window_of(losses);
  const std::vector<double> mass = composed(losses, window);
  const double step = losses.front().loss->step;
  // From above. Between two points, from `low` on: delta(eps) = sum over L > eps of m (1 - e^(eps - L)), which is
  // above - e^(eps - low) * scaled.
  double above = 0.0, scaled = 0.0;
  const double factor = std::exp(-step);
  for (std::size_t k = mass.size();; --k) {
    const double low = static_cast<double>(window.first + static_cast<std::int64_t>(k) - 1) * step;
    const bool reached = above - scaled > left || (k == 0 && above > left);
    if (reached) return std::max(0.0, low + std::log((above - left) / scaled));
    SOUK_EXPECT(!std::isnan(above));
    if (k == 0 || low <= 0.0) return 0.0;
    above += mass[k - 1];
    scaled = (scaled + mass[k - 1]) * factor;
  }
}

}  // namespace souk
