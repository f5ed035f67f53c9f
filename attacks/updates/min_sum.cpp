#include <algorithm>

#include "attacks/ray.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Shejwalkar, Houmansadr, "Manipulating the Byzantine: Optimizing Model Poisoning Attacks and Defenses for Federated
/// Learning", NDSS 2021, equation 9. The sum of squared distances to k updates grows from their mean by k gamma^2 |p|^2
/// in any direction p, which gives gamma without a search.
class MinSum final : public CraftWith<Pool> {
 public:
  explicit MinSum(const scenario::MinSum& config) : perturbation_(static_cast<Perturbation>(config.perturbation())) {}

  Knowledge usual() const override { return Knowledge::all; }
  std::size_t least_known(Knowledge) const override { return 2; }

  Crafted craft(const View<Pool>& view) override {
    const Ray ray = perturbed_mean(view.comm, view.known, perturbation_);
    const double square = squared_norm(view.comm, view.known.plan(), ray.direction);
    const double gamma = largest_gamma(squared_distances(view.comm, view.known), square);
    return {copies_at(view.comm, view.known, ray, gamma, view.members.size()), {{"gamma", gamma}}};
  }

 private:
  static double largest_gamma(const SymmetricMatrix& distances, double square) {
    const auto k = static_cast<double>(distances.order);
    double largest = 0.0, all = 0.0;
    for (std::size_t i = 0; i < distances.order; ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < distances.order; ++j) sum += distances(i, j);
      largest = std::max(largest, sum);
      all += sum;
    }
    return last_within({.constant = all / (2.0 * k), .linear = 0.0, .square = k * square}, largest);
  }

  Perturbation perturbation_;
};

const Register<UpdateAttack, MinSum, scenario::MinSum> register_min_sum;

}  // namespace
}  // namespace souk
