#include "sim/privacy/loss_accountant.hpp"

#include <cmath>

namespace souk {
namespace {

constexpr double usual_step = 1e-3;
constexpr double grid_points_max = 1 << 20;

/// Grid points of the distribution of a single release, more or less: the loss of a Gaussian mechanism that samples
/// nobody has a larger range.
double points_of_release(const SubsampledGaussian& release, double step) {
  const double sigma = release.noise;
  return (1.0 + 16.0 * sigma) / (sigma * sigma) / step;
}

}  // namespace

LossAccountant LossAccountant::fit_for(Releases releases, double delta) {
  double step = usual_step;
  const auto too_long = [&](const SubsampledGaussian& release) {
    return points_of_release(release, step) > grid_points_max;
  };
  while (std::ranges::any_of(releases, too_long)) step *= 2.0;
  LossAccountant best(step);
  for (; static_cast<double>(best.points(releases)) > grid_points_max; step *= 2.0) best = LossAccountant(2.0 * step);
  double epsilon = best.epsilons(releases, delta).larger();
  while (true) {
    LossAccountant finer(0.5 * best.step());
    if (static_cast<double>(finer.points(releases)) > grid_points_max) return best;
    const double refined = finer.epsilons(releases, delta).larger();
    if (!(epsilon - refined > 1e-3 * refined)) return best;
    best = std::move(finer);
    epsilon = refined;
  }
}

BothEpsilons LossAccountant::epsilons(Releases releases, double delta) {
  if (releases.empty()) return {};
  return {epsilon_of(composition(releases, Neighbour::remove), delta),
          epsilon_of(composition(releases, Neighbour::add), delta)};
}

const LossAccountant::Known& LossAccountant::losses_of(const SubsampledGaussian& release) {
  const auto [q, sigma, count] = release;
  const auto same = std::ranges::find_if(known_, [&](const Known& k) { return k.sampling == q && k.noise == sigma; });
  if (same != known_.end()) return *same;
  known_.push_back({q, sigma, loss_distribution(q, sigma, Neighbour::remove, step_),
                    loss_distribution(q, sigma, Neighbour::add, step_)});
  return known_.back();
}

std::vector<ComposedLoss> LossAccountant::composition(Releases releases, Neighbour direction) {
  std::vector<ComposedLoss> losses;
  for (const SubsampledGaussian& release : releases) {
    const Known& known = losses_of(release);
    losses.push_back({direction == Neighbour::remove ? &known.remove : &known.add, release.count});
  }
  return losses;
}

/// Of the longer transform.
std::size_t LossAccountant::points(Releases releases) {
  if (releases.empty()) return 0;
  return std::max(grid_points(composition(releases, Neighbour::remove)),
                  grid_points(composition(releases, Neighbour::add)));
}

}  // namespace souk
