#include <fmt/format.h>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent",
/// NIPS 2017, section 6: the mean of the m updates of smallest Krum score.
class MultiKrum final : public Aggregator {
 public:
  explicit MultiKrum(const scenario::MultiKrum& config) : f_("multi_krum", config.f(), 2, 3), m_(config.m()) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }

  void check(const RoundSize& round) const override {
    f_.check(round);
    SOUK_REQUIRE(m_ <= round.updates, "aggregator.multi_krum.m = {}: a round has {} updates", m_, round.updates);
  }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::size_t f = f_.of(input);
    if (m_ > n) remark(input, fmt::format("multi_krum: averages {} updates instead of m = {}", n, m_));
    const std::vector<double> scores = krum_scores(squared_distances(input.comm, input.updates), all_rows(n), f);
    RuleOutput output = mean_of(input, smallest(scores, m_ > 0 ? m_ : n - f));
    for (const double score : scores) output.scores.push_back(-score);
    return output;
  }

 private:
  ToleratedF f_;
  std::size_t m_;
};

const Register<Aggregator, MultiKrum, scenario::MultiKrum> register_multi_krum;

}  // namespace
}  // namespace souk
