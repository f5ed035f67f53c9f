#include <cmath>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

using PgaView = View<Pool, Laboratory, RuleIfKnown>;

ColumnVector mean_of_rows(const ColumnMatrix& rows) {
  return combine(rows, std::vector<double>(rows.rows(), 1.0 / static_cast<double>(rows.rows())));
}

/// Shejwalkar et al., "Back to the Drawing Board", IEEE S&P 2022, section IV-B3: gradient ascent on the members' clean
/// data, projected on the ball of the mean honest norm; f_project, which knows the rule, chooses the length instead.
class ProjectedGradientAscent final : public CraftWith<Pool, Laboratory, RuleIfKnown> {
 public:
  explicit ProjectedGradientAscent(const scenario::ProjectedGradientAscent& config) : config_(config) {}

  Crafted craft(const PgaView& view) override {
    const double bound = config_.norm() > 0.0 ? config_.norm() : mean_norm(view);
    const ColumnMatrix climbed = view.lab.train(
        view.members, {.poisoned = false,
                       .epochs = config_.epochs(),
                       .before_step =
                           [](std::size_t, const LabStep&, std::span<float> gradient) {
                             for (float& value : gradient) value = -value;
                           },
                       .after_step = [bound](std::size_t, const LabStep& at,
                                             std::span<float> parameters) { project(at.global, bound, parameters); }});
    const ColumnVector direction = mean_of_rows(climbed);
    const double length = std::sqrt(squared_norm(view.comm, climbed.plan(), direction));
    const double chosen = length > 0.0 ? best_length(view, direction, length, bound) : 0.0;
    return {submission(view, direction, length > 0.0 ? chosen / length : 0.0), {{"norm", chosen}}};
  }

 private:
  /// Back to the ball of this radius around the global model: without it the ascent has no end.
  static void project(std::span<const float> global, double radius, std::span<float> parameters) {
    double square = 0.0;
    for (std::size_t v = 0; v < parameters.size(); ++v) {
      const auto away = static_cast<double>(parameters[v] - global[v]);
      square += away * away;
    }
    if (square <= radius * radius) return;
    const auto factor = static_cast<float>(radius / std::sqrt(square));
    for (std::size_t v = 0; v < parameters.size(); ++v) {
      parameters[v] = global[v] + factor * (parameters[v] - global[v]);
    }
  }

  static double mean_norm(const PgaView& view) {
    double sum = 0.0;
    for (const double square : squared_norms(view.comm, view.known)) sum += std::sqrt(square);
    return sum / static_cast<double>(view.known.rows());
  }

  static ColumnMatrix submission(const PgaView& view, const ColumnVector& direction, double factor) {
    const ColumnMatrix rows = copies_of(view.comm, view.own.dimension(), direction, view.members.size());
    return scale_rows(view.comm, rows, std::vector<double>(rows.rows(), factor));
  }

  /// The bound; with the rule known, whichever of its multiples by powers of 2 moves the rule's step farthest from the
  /// mean of the known updates. Ties: the first tried, from the shortest.
  static double best_length(const PgaView& view, const ColumnVector& direction, double length, double bound) {
    if (view.rule == nullptr) return bound;
    const ColumnVector mean = mean_of_rows(view.known);
    double best = bound, most = -1.0;
    for (int power = -4; power <= 8; ++power) {
      const double candidate = std::ldexp(bound, power);
      const ColumnMatrix rows = submission(view, direction, candidate / length);
      ProbeResult result =
          view.rule->probe(view.round_of_all->honest.replaced(view.comm, view.round_of_all->rows, rows));
      for (std::size_t c = 0; c < mean.values().size(); ++c) result.step.values()[c] -= mean.values()[c];
      const double distance = squared_norm(view.comm, view.own.plan(), result.step);
      if (!(distance > most)) continue;
      most = distance;
      best = candidate;
    }
    return best;
  }

  scenario::ProjectedGradientAscent config_;
};

const Register<UpdateAttack, ProjectedGradientAscent, scenario::ProjectedGradientAscent>
    register_projected_gradient_ascent;

}  // namespace
}  // namespace souk
