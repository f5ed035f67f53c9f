#include <algorithm>

#include <fmt/format.h>

#include "aggregators/column_sample.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {
namespace {

/// Shejwalkar, Houmansadr, "Manipulating the Byzantine: Optimizing Model Poisoning Attacks and Defenses for Federated
/// Learning", NDSS 2021, Algorithm 2. The projection of a centred row on the top right singular vector is its entry of
/// the top eigenvector of the Gram matrix times a constant, so the vector itself is never formed.
class Dnc final : public Aggregator {
 public:
  explicit Dnc(const scenario::Dnc& config)
      : f_("dnc", config.f(), 1, 1), c_(config.c()), repeats_(config.repeats()), coordinates_(config.coordinates()) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }

  void check(const RoundSize& round) const override {
    f_.check(round);
    const std::size_t f = f_.of(round.updates, round.tolerated_f, nullptr);
    SOUK_REQUIRE(removed(f) < round.updates, "aggregator.dnc.c = {}: drops {} of {} updates", c_, removed(f),
                 round.updates);
  }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + drawn_columns_bytes(scale.dimension, static_cast<double>(coordinates_)) +
                       scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::size_t wanted = removed(f_.of(input));
    if (wanted >= n)
      remark(input, fmt::format("dnc: drops {} updates instead of {}, for {} arrived", n - 1, wanted, n));
    const std::size_t kept = n - std::min(n - 1, wanted);
    std::vector<std::size_t> good = all_rows(n);
    for (std::size_t repeat = 0; repeat < repeats_; ++repeat) {
      const auto columns = draw_columns(input.updates.dimension(), coordinates_, input.random);
      const TopEigen top = power_iteration(centred_gram_of(input.comm, input.updates, columns), 1e-12);
      std::vector<double> scores;
      for (const double entry : top.vector) scores.push_back(top.value > 0.0 ? entry * entry : 0.0);
      const std::vector<std::size_t> chosen = smallest(scores, kept);
      std::vector<std::size_t> both;
      std::set_intersection(good.begin(), good.end(), chosen.begin(), chosen.end(), std::back_inserter(both));
      good = both.empty() ? chosen : both;  // the paper leaves an empty intersection open: the last choice stands
    }
    return mean_of(input, good);
  }

 private:
  std::size_t removed(std::size_t f) const { return static_cast<std::size_t>(c_ * static_cast<double>(f) + 1e-9); }
  ToleratedF f_;
  double c_;
  std::size_t repeats_, coordinates_;
};

const Register<Aggregator, Dnc, scenario::Dnc> register_dnc;

}  // namespace
}  // namespace souk
