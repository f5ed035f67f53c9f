#include "attacks/bounded_lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "sim/params/dot.hpp"

namespace souk {
namespace {

constexpr double enough_of_slope = 1e-4;
constexpr int shortenings_max = 25;

/// Pairs of steps s and changes y of the gradient, the newest last.
class CurvaturePairs {
 public:
  explicit CurvaturePairs(std::size_t memory) : memory_(memory) {}

  void add(std::vector<double> s, std::vector<double> y) {
    const double product = dot(s, y);
    if (!(product > 1e-12 * std::sqrt(dot(s, s) * dot(y, y)))) return;  // no curvature to learn from
    if (pairs_.size() == memory_) pairs_.pop_front();
    pairs_.push_back({std::move(s), std::move(y)});
  }
  bool empty() const { return pairs_.empty(); }
  void clear() { pairs_.clear(); }

  /// `vector` becomes the inverse Hessian times it, both of the variables that `held` leaves free.
  void apply(const std::vector<bool>& held, std::span<double> vector) const {
    const auto product = [&](std::span<const double> a, std::span<const double> b) {
      double sum = 0.0;
      for (std::size_t i = 0; i < a.size(); ++i) sum += held[i] ? 0.0 : a[i] * b[i];
      return sum;
    };
    std::vector<double> alphas(pairs_.size(), 0.0), curvatures(pairs_.size(), 0.0);
    double scale = 1.0;
    bool scaled = false;
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      const auto& [s, y] = pairs_[k];
      curvatures[k] = product(s, y);
      if (!(curvatures[k] > 0.0)) continue;
      if (!scaled) {
        scale = curvatures[k] / product(y, y);
        scaled = true;
      }
      alphas[k] = product(s, vector) / curvatures[k];
      for (std::size_t i = 0; i < vector.size(); ++i) vector[i] -= held[i] ? 0.0 : alphas[k] * y[i];
    }
    for (double& value : vector) value *= scale;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      if (!(curvatures[k] > 0.0)) continue;
      const auto& [s, y] = pairs_[k];
      const double beta = product(y, vector) / curvatures[k];
      for (std::size_t i = 0; i < vector.size(); ++i) vector[i] += held[i] ? 0.0 : (alphas[k] - beta) * s[i];
    }
  }

 private:
  struct Pair {
    std::vector<double> s, y;
  };
  std::size_t memory_;
  std::deque<Pair> pairs_;
};

/// Variables at a bound beyond which the value falls.
std::vector<bool> held_back(std::span<const double> at, std::span<const double> gradient, const Box& box) {
  std::vector<bool> held(at.size(), false);
  for (std::size_t i = 0; i < box.variables; ++i) {
    held[i] = (at[i] <= box.low && gradient[i] > 0.0) || (at[i] >= box.high && gradient[i] < 0.0);
  }
  return held;
}

class BoxDescent {
 public:
  BoxDescent(const Smooth& function, std::vector<double> start, const Box& box, const DescentLimits& limits)
      : function_(function),
        box_(box),
        limits_(limits),
        pairs_(limits.memory),
        now_{.at = std::move(start)},
        gradient_(now_.at.size()),
        next_(now_.at.size()),
        next_gradient_(now_.at.size()) {}

  Descent run() {
    now_.value = function_(now_.at, gradient_);
    for (std::size_t step = 0; step < limits_.steps; ++step) {
      if (!find_direction()) break;
      if (take_step()) continue;
      if (pairs_.empty()) break;
      pairs_.clear();  // what was learned has become wrong: once more along the gradient
    }
    return std::move(now_);
  }

 private:
  /// False: nothing to descend along.
  bool find_direction() {
    const std::vector<bool> held = held_back(now_.at, gradient_, box_);
    direction_.assign(gradient_.begin(), gradient_.end());
    for (std::size_t i = 0; i < held.size(); ++i) direction_[i] = held[i] ? 0.0 : -direction_[i];
    const double square = dot(direction_, direction_);
    if (!(square > 0.0)) return false;
    if (pairs_.empty()) {  // no longer than 1
      for (double& value : direction_) value /= std::max(1.0, std::sqrt(square));
    } else {
      pairs_.apply(held, direction_);
    }
    if (dot(direction_, gradient_) < 0.0) return true;
    pairs_.clear();  // rounding has spoilt them
    for (std::size_t i = 0; i < held.size(); ++i) {
      direction_[i] = held[i] ? 0.0 : -gradient_[i] / std::max(1.0, std::sqrt(square));
    }
    return true;
  }

  void go(double length) {
    for (std::size_t i = 0; i < next_.size(); ++i) next_[i] = now_.at[i] + length * direction_[i];
    for (std::size_t i = 0; i < box_.variables; ++i) next_[i] = std::clamp(next_[i], box_.low, box_.high);
  }

  /// False: none along the direction helps.
  bool take_step() {
    double length = 1.0;
    std::vector<double> s(next_.size()), y(next_.size());
    for (int i = 0; i < shortenings_max; ++i) {
      go(length);
      const double value = function_(next_, next_gradient_);
      for (std::size_t v = 0; v < s.size(); ++v) s[v] = next_[v] - now_.at[v];
      const double slope = dot(gradient_, s);
      if (value < now_.value && value <= now_.value + enough_of_slope * slope) {
        for (std::size_t v = 0; v < y.size(); ++v) y[v] = next_gradient_[v] - gradient_[v];
        pairs_.add(std::move(s), std::move(y));
        now_.at.swap(next_);
        now_.value = value;
        gradient_.swap(next_gradient_);
        return true;
      }
      // The lowest point of the parabola through both values and the slope, within a tenth and a half.
      const double bend = value - now_.value - slope;
      const double factor = std::isfinite(bend) && bend > 0.0 ? -slope / (2.0 * bend) : 0.5;
      length *= std::clamp(factor, 0.1, 0.5);
    }
    return false;
  }

  const Smooth& function_;
  Box box_;
  DescentLimits limits_;
  CurvaturePairs pairs_;
  Descent now_;
  std::vector<double> gradient_, direction_, next_, next_gradient_;
};

}  // namespace

Descent minimised_in_box(const Smooth& function, std::vector<double> start, const Box& box,
                         const DescentLimits& limits) {
  return BoxDescent(function, std::move(start), box, limits).run();
}

}  // namespace souk
