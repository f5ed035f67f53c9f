#include <algorithm>
#include <cmath>
#include <numeric>

#include "attacks/reports/flshield_reports.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Honest standing of the proposals.
struct Standing {
  std::vector<Limit> limits;         ///< [proposals]
  std::vector<std::size_t> ranking;  ///< best first, the first of equals before the others
};

Standing standing_of(const ReportSums& all, std::size_t proposals, std::size_t classes) {
  Standing standing;
  for (std::size_t x = 0; x < proposals; ++x) standing.limits.push_back(limit_of(all, x, classes));
  standing.ranking.resize(proposals);
  std::iota(standing.ranking.begin(), standing.ranking.end(), std::size_t{0});
  std::ranges::stable_sort(standing.ranking, std::ranges::greater(),
                           [&](std::size_t x) { return standing.limits[x].score; });
  return standing;
}

/// Kabir et al., FLShield, figure 17 of arXiv:2308.05832v1. FLShield accepts the better half, the
/// larger one of an odd number. The accepted benign and the rejected malicious proposals are taken in the order of
/// their distance from the median score, the largest first, and change places two by two: the best accepted benign one
/// with the worst rejected malicious one, and so on.
class FlShieldAdvanced final : public ReportWith<OwnReports, AllReports> {
 public:
  explicit FlShieldAdvanced(const scenario::FlShieldAdvanced&) {}

  void report(const ReportView<OwnReports, AllReports>& view, Stream&) const override {
    const std::size_t width = view.steps * view.classes;
    const ReportSums benign = benign_sums(view, view);
    ReportSums all = benign;
    for (std::size_t m = 0; m < view.members.size(); ++m) all.add(view.own.subspan(m * width, width));
    const Standing standing = standing_of(all, view.steps, view.classes);

    // Above the median the distance falls from rank to rank, below it rises.
    const std::span ranking(standing.ranking);
    std::vector<std::size_t> falling, rising;
    const std::size_t accepted = view.steps - view.steps / 2;
    for (const std::size_t x : ranking.first(accepted)) {
      if (view.ours[x] == 0) falling.push_back(x);
    }
    for (const std::size_t x : ranking.subspan(accepted)) {
      if (view.ours[x] != 0) rising.push_back(x);
    }
    std::ranges::reverse(rising);
    for (std::size_t pair = 0; pair < std::min(falling.size(), rising.size()); ++pair) {
      const Limit& high = standing.limits[falling[pair]];
      const Limit& low = standing.limits[rising[pair]];
      if (!std::isfinite(high.score)) continue;
      overwrite(view, benign, falling[pair] * view.classes + high.class_index, low.score);
      overwrite(view, benign, rising[pair] * view.classes + low.class_index, high.score);
    }
  }

 private:
  /// Makes `mean` the mean over all validators who judge entry k.
  static void overwrite(const OwnReports& reports, const ReportSums& benign, std::size_t k, double mean) {
    const std::size_t width = reports.steps * reports.classes;
    double judges = 0.0;
    for (std::size_t m = 0; m < reports.members.size(); ++m) judges += std::isnan(reports.own[m * width + k]) ? 0 : 1;
    const double value = (mean * (benign.counts[k] + judges) - benign.sums[k]) / judges;
    for (std::size_t m = 0; m < reports.members.size(); ++m) {
      double& report = reports.own[m * width + k];
      if (!std::isnan(report)) report = value;
    }
  }
};

const Register<ReportAttack, FlShieldAdvanced, scenario::FlShieldAdvanced> register_fl_shield_advanced;

}  // namespace
}  // namespace souk
