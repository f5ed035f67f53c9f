#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent",
/// NIPS 2017, section 3: the update of smallest score, ties to the smaller client id.
class Krum final : public Aggregator {
 public:
  explicit Krum(const scenario::Krum& config) : f_("krum", config.f(), 2, 3) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const SymmetricMatrix distances = squared_distances(input.comm, input.updates);
    const std::vector<double> scores = krum_scores(distances, all_rows(input.updates.rows()), f_.of(input));
    RuleOutput output = mean_of(input, smallest(scores, 1));
    for (const double score : scores) output.scores.push_back(-score);
    return output;
  }

 private:
  ToleratedF f_;
};

const Register<Aggregator, Krum, scenario::Krum> register_krum;

}  // namespace
}  // namespace souk
