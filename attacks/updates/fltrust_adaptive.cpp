#include <algorithm>
#include <cmath>
#include <deque>

#include "attacks/fang_trim_values.hpp"
#include "attacks/unit_climber.hpp"
#include "attacks/update_attack.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

using AdaptiveView = View<Pool, Everyone, RootUpdate>;

constexpr double trim_b = 2.0;            // of the Trim attack that the search starts from,
constexpr std::uint16_t climb_lane = 64;  // which draws on other lanes than the search

/// FLTrust's weight of an update: ReLU of its cosine to the root update.
double trust_of(double product, double lengths) { return std::max(0.0, cosine_of(product, lengths)); }

/// h = s^T (g - g'), s = sign(g): how far FLTrust's step falls back along the sign of the unattacked one. Of unit
/// submissions e, which FLTrust scales to the root update's norm, it needs s . e and g0 . e alone.
class HarmToTrust {
 public:
  explicit HarmToTrust(const AdaptiveView& view)
      : root_norm_(std::sqrt(squared_norm(view.comm, view.honest.plan(), view.root_update))) {
    const auto [products, squares] = dots_and_norms(view.comm, view.honest, view.root_update);
    std::vector<double> trust, coefficients;
    for (std::size_t i = 0; i < products.size(); ++i) {
      const double norm = std::sqrt(squares[i]);
      trust.push_back(trust_of(products[i], norm * root_norm_));
      coefficients.push_back(trust.back() > 0.0 ? trust.back() * root_norm_ / norm : 0.0);
    }
    signs_ = combine(view.honest, coefficients);
    for (float& value : signs_.values()) value = static_cast<float>((value > 0.0F) - (value < 0.0F));

    const std::vector<double> along = dots(view.comm, view.honest, signs_);
    double all = 0.0, all_trust = 0.0;
    for (std::size_t i = 0; i < along.size(); ++i) {
      const bool member = std::ranges::binary_search(view.rows, i);
      all += coefficients[i] * along[i];
      all_trust += trust[i];
      others_ += member ? 0.0 : coefficients[i] * along[i];
      others_trust_ += member ? 0.0 : trust[i];
    }
    unattacked_ = all_trust > 0.0 ? all / all_trust : 0.0;
  }

  const ColumnVector& signs() const { return signs_; }
  double root_norm() const { return root_norm_; }

  /// Products of the members' unit updates with the signs (a) and the root update (b).
  double of(const std::vector<UnitClimber::Products>& members) const {
    double sum = others_, trust = others_trust_;
    for (const auto& [along, product] : members) {
      const double own = trust_of(product, root_norm_);
      sum += own * root_norm_ * along;
      trust += own;
    }
    return unattacked_ - (trust > 0.0 ? sum / trust : 0.0);
  }

 private:
  double root_norm_;
  ColumnVector signs_;
  double others_ = 0.0, others_trust_ = 0.0;  ///< sums of coefficient times s . g_i, and of trust
  double unattacked_ = 0.0;                   ///< s . g
};

/// Cao, Fang, Liu, Gong, "FLTrust: Byzantine-robust Federated Learning via Trust Bootstrapping", NDSS 2021,
/// Algorithm 3. A trial e + gamma u is judged as FLTrust would: by its direction.
class FlTrustAdaptive final : public CraftWith<Pool, Everyone, RootUpdate> {
 public:
  explicit FlTrustAdaptive(const scenario::FlTrustAdaptive& config)
      : sigma_(std::sqrt(config.sigma2())),
        gamma_(config.gamma()),
        eta_(config.eta()),
        passes_(config.passes()),
        steps_(config.steps()) {}

  Crafted craft(const AdaptiveView& view) override {
    const HarmToTrust harm(view);
    std::deque<UnitClimber> climbers;
    std::vector<UnitClimber::Products> at;
    start(view, harm, climbers, at);
    const double before = harm.of(at);
    for (std::uint32_t pass = 0; pass < passes_; ++pass) {
      for (std::size_t i = 0; i < climbers.size(); ++i) climb(climbers[i], harm, i, at);
    }
    ColumnMatrixBuilder rows(view.comm, climbers.size(), view.honest.dimension());
    for (std::size_t i = 0; i < climbers.size(); ++i) {
      std::ranges::transform(climbers[i].unit(), rows.row(i).begin(), [&](float value) {
        return static_cast<float>(harm.root_norm() * static_cast<double>(value));
      });
    }
    return {std::move(rows).finish(), {{"h_before", before}, {"h", harm.of(at)}, {"trusted", trusted(at)}}};
  }

 private:
  /// The Trim attack's updates, as unit vectors.
  static void start(const AdaptiveView& view, const HarmToTrust& harm, std::deque<UnitClimber>& climbers,
                    std::vector<UnitClimber::Products>& at) {
    const ColumnMatrix trim = draw_between(view, view.members, view.honest, beyond_extremes(view.known, trim_b));
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      climbers.emplace_back(view, view.members[i], climb_lane, view.honest, trim.row(i), harm.signs(),
                            view.root_update);
      at.push_back(climbers.back().products());
    }
  }

  /// Members whose updates FLTrust trusts.
  static double trusted(const std::vector<UnitClimber::Products>& at) {
    return static_cast<double>(std::ranges::count_if(at, [](const auto& products) { return products.b > 0.0; }));
  }

  /// One pass over member i.
  void climb(UnitClimber& climber, const HarmToTrust& harm, std::size_t i,
             std::vector<UnitClimber::Products>& at) const {
    climber.normalise();
    at[i] = climber.products();
    for (std::uint32_t step = 0; step < steps_; ++step) {
      climber.draw(sigma_);
      const double here = harm.of(at);
      at[i] = climber.products_at(gamma_);
      const double slope = (harm.of(at) - here) / gamma_;
      climber.move(eta_ * slope);
      at[i] = climber.products();
    }
  }

  double sigma_, gamma_, eta_;
  std::uint32_t passes_, steps_;
};

const Register<UpdateAttack, FlTrustAdaptive, scenario::FlTrustAdaptive> register_fl_trust_adaptive;

}  // namespace
}  // namespace souk
