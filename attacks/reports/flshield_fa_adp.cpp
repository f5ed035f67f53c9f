#include <algorithm>
#include <cmath>
#include <iterator>

#include "attacks/reports/flshield_reports.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

struct Weights {
  double lambda1 = 1.0, lambda2 = 1.0;
};

/// f1 - lambda1 f2 - lambda2 f3 as a function of the members' reports.
class AdaptiveObjective {
 public:
  AdaptiveObjective(const ReportView<OwnReports, AllReports>& view, Weights weights)
      : view_(view), weights_(weights), width_(view.steps * view.classes), benign_(benign_sums(view, view)) {}

  /// Writes a subgradient, 0 where a member does not judge. Both [members, proposals, classes].
  double value(std::span<const double> own, std::span<double> gradient) const {
    ReportSums all = benign_;
    for (std::size_t m = 0; m < view_.members.size(); ++m) all.add(own.subspan(m * width_, width_));
    std::vector<double> slope(width_, 0.0);
    double value = scores(all, slope);
    for (std::size_t m = 0; m < view_.members.size(); ++m) {
      value -= distance(own.subspan(m * width_, width_), slope, gradient.subspan(m * width_, width_));
    }
    return value;
  }

  double largest_benign_report() const {
    double largest = 0.0;
    for (std::size_t v = 0; v < view_.validators.size(); ++v) {
      if (std::ranges::find(view_.rows, v) != view_.rows.end()) continue;
      for (const double report : view_.all.subspan(v * width_, width_)) {
        if (!std::isnan(report)) largest = std::max(largest, std::abs(as_read(report)));
      }
    }
    return largest;
  }

 private:
  /// f1 - lambda1 f2, and how it rises with the report of any one validator.
  double scores(const ReportSums& all, std::span<double> slope) const {
    double value = 0.0;
    for (std::size_t x = 0; x < view_.steps; ++x) {
      const Limit limit = limit_of(all, x, view_.classes);
      if (std::isinf(limit.score)) continue;
      const double weight = view_.ours[x] != 0 ? 1.0 : -weights_.lambda1;
      const std::size_t k = x * view_.classes + limit.class_index;
      value += weight * limit.score;
      slope[k] = weight / all.counts[k];
    }
    return value;
  }

  /// lambda2 times a member's distance from the mean benign report; completes its gradient.
  double distance(std::span<const double> own, std::span<const double> slope, std::span<double> gradient) const {
    double square = 0.0;
    for (std::size_t k = 0; k < width_; ++k) {
      const bool compared = !std::isnan(own[k]) && benign_.counts[k] > 0.0;
      gradient[k] = compared ? own[k] - benign_.sums[k] / benign_.counts[k] : 0.0;
      square += gradient[k] * gradient[k];
    }
    const double distance = std::sqrt(square);
    for (std::size_t k = 0; k < width_; ++k) {
      const double pull = distance > 0.0 ? weights_.lambda2 * gradient[k] / distance : 0.0;
      gradient[k] = std::isnan(own[k]) ? 0.0 : slope[k] - pull;
    }
    return weights_.lambda2 * distance;
  }

  const ReportView<OwnReports, AllReports>& view_;
  Weights weights_;
  std::size_t width_;
  ReportSums benign_;
};

/// Kabir et al., FLShield, equation 9 of arXiv:2308.05832v1, without the square on the scores that its typesetting may
/// mean; |.| is the Euclidean norm, as in the authors' repository. A step of subgradient ascent may lead down, so the
/// best reports seen are delivered.
class FlShieldAdaptive final : public ReportWith<OwnReports, AllReports> {
 public:
  explicit FlShieldAdaptive(const scenario::FlShieldAdaptive& config)
      : weights_{config.lambda1(), config.lambda2()}, steps_(config.steps()), rate_(config.rate()) {}

  void report(const ReportView<OwnReports, AllReports>& view, Stream&) const override {
    const AdaptiveObjective objective(view, weights_);
    const double step = rate_ * objective.largest_benign_report();
    std::vector<double> own, gradient(view.own.size());
    std::ranges::transform(view.own, std::back_inserter(own), as_read);
    double best = objective.value(own, gradient);
    for (std::uint32_t s = 0; s < steps_; ++s) {
      for (std::size_t k = 0; k < own.size(); ++k) own[k] += step * gradient[k];
      const double value = objective.value(own, gradient);
      if (value <= best) continue;
      best = value;
      std::ranges::copy(own, view.own.begin());
    }
  }

 private:
  Weights weights_;
  std::uint32_t steps_;
  double rate_;
};

const Register<ReportAttack, FlShieldAdaptive, scenario::FlShieldAdaptive> register_fl_shield_adaptive;

}  // namespace
}  // namespace souk
