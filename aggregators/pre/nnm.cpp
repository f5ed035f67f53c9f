#include "aggregators/pre/pre_aggregator.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Allouah et al., "Fixing by Mixing", AISTATS 2023, Algorithm 2. Ties go to the smaller client id.
class NearestNeighbourMixing final : public PreAggregator {
 public:
  explicit NearestNeighbourMixing(const scenario::Nnm& config) : f_("pre.nnm", config.f(), 2, 1) {}

  bool needs_tolerated_f() const override { return f_.from_scenario(); }
  RoundSize check(const RoundSize& round) const override {
    f_.check(round);
    return round;
  }

  std::vector<double> mix(const PreInput& input) const override {
    const std::size_t n = input.updates();
    const std::size_t kept = n - f_.of(n, input.tolerated_f, input.log);
    std::vector<double> coefficients;
    std::vector<double> distances(n);
    for (std::size_t i = 0; i < n; ++i) {
      heartbeat::beat();
      for (std::size_t j = 0; j < n; ++j) distances[j] = input.distances(i, j);
      distances[i] = -1.0;  // itself before its clones
      const std::vector<double> row = weights_of(smallest(distances, kept), n);
      coefficients.insert(coefficients.end(), row.begin(), row.end());
    }
    return coefficients;
  }

 private:
  ToleratedF f_;
};

const Register<PreAggregator, NearestNeighbourMixing, scenario::Nnm> register_nearest_neighbour_mixing;

}  // namespace
}  // namespace souk
