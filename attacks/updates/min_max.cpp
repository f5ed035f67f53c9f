#include <algorithm>
#include <limits>

#include "attacks/ray.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Shejwalkar, Houmansadr, "Manipulating the Byzantine: Optimizing Model Poisoning Attacks and Defenses for Federated
/// Learning", NDSS 2021, equation 8. The largest gamma is a root of quadratics: the source's bisection is not needed.
class MinMax final : public CraftWith<Pool> {
 public:
  explicit MinMax(const scenario::MinMax& config) : perturbation_(static_cast<Perturbation>(config.perturbation())) {}

  Knowledge usual() const override { return Knowledge::all; }
  std::size_t least_known(Knowledge) const override { return 2; }

  Crafted craft(const View<Pool>& view) override {
    const Ray ray = perturbed_mean(view.comm, view.known, perturbation_);
    const SymmetricMatrix distances = squared_distances(view.comm, view.known);
    const double largest = *std::ranges::max_element(distances.lower);
    const double square = squared_norm(view.comm, view.known.plan(), ray.direction);
    double gamma = std::numeric_limits<double>::infinity();
    for (const Quadratic& distance :
         distances_from_mean(distances, dots(view.comm, view.known, ray.direction), square)) {
      gamma = std::min(gamma, last_within(distance, largest));
    }
    return {copies_at(view.comm, view.known, ray, gamma, view.members.size()), {{"gamma", gamma}}};
  }

 private:
  Perturbation perturbation_;
};

const Register<UpdateAttack, MinMax, scenario::MinMax> register_min_max;

}  // namespace
}  // namespace souk
