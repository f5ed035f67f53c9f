#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "attacks/inference_attack.hpp"
#include "attacks/membership_scores.hpp"
#include "attacks/shadow_evidence.hpp"
#include "attacks/shadow_models.hpp"
#include "attacks/softmax_of.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// p of a sample's class.
double confidence(const PoolAnswers& answers, std::size_t sample, std::int32_t label) {
  return 1.0 / (1.0 + std::exp(-confidence_logit(answers.of(sample), label)));
}

/// What Shokri's regressions read: the three largest confidences, and that in the class.
std::vector<double> described(const PoolAnswers& answers, std::size_t sample, std::int32_t label) {
  const auto logits = answers.of(sample);
  std::vector<double> shares = softmax_of(std::vector<double>(logits.begin(), logits.end()));
  const double own = shares[static_cast<std::size_t>(label)];
  std::ranges::sort(shares, std::greater{});
  shares.resize(std::min<std::size_t>(shares.size(), 3));
  shares.push_back(own);
  return shares;
}

/// What the attacker has computed before it scores: the pool is the auxiliary samples and then the candidates.
struct ShadowEvidence {
  const ShadowPool& pool;
  std::size_t first;  ///< candidate
  const ShadowSplit& split;
  const PoolAnswers& target;
  const std::vector<PoolAnswers>& shadows;
};

/// Of the samples from `first` to `last`; `signal` of a model's answers and a sample.
template <class Signal>
std::vector<ShadowSignals> signals_of(const ShadowEvidence& seen, std::size_t first, std::size_t last, Signal signal) {
  return shadow_signals(
      seen.split, first, last, [&](std::size_t i) { return signal(seen.target, i); },
      [&](std::size_t s, std::size_t i) { return signal(seen.shadows[s], i); });
}

std::vector<ShadowSignals> logits_of_candidates(const ShadowEvidence& seen) {
  return signals_of(seen, seen.first, seen.pool.size(), [&](const PoolAnswers& answers, std::size_t i) {
    return confidence_logit(answers.of(i), seen.pool.label(i));
  });
}

std::vector<double> relative(const scenario::RelativeMembership& config, const ShadowEvidence& seen) {
  const auto signal = [&](const PoolAnswers& answers, std::size_t i) {
    return confidence(answers, i, seen.pool.label(i));
  };
  const RelativeSettings settings{.offline = config.offline(), .gamma = config.gamma(), .a = config.a()};
  return shares_below(signals_of(seen, seen.first, seen.pool.size(), signal), signals_of(seen, 0, seen.first, signal),
                      settings);
}

/// Shokri, Stronati, Song, Shmatikov, S&P 2017, with logistic regressions for attack models, one for each class.
std::vector<double> regressions(const scenario::ClassRegression& config, const ShadowEvidence& seen,
                                std::size_t classes) {
  std::vector<std::vector<double>> coefficients(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    std::vector<std::vector<double>> rows;
    std::vector<std::uint8_t> truth;
    for (std::size_t i = 0; i < seen.pool.size(); ++i) {
      const std::int32_t label = seen.pool.label(i);
      for (std::size_t s = 0; static_cast<std::size_t>(label) == c && s < seen.shadows.size(); ++s) {
        rows.push_back(described(seen.shadows[s], i, label));
        truth.push_back(seen.split.has(s, i) ? 1 : 0);
      }
    }
    if (!rows.empty()) coefficients[c] = logistic_regression(rows, truth, config.penalty());
  }
  std::vector<double> scores;
  for (std::size_t i = seen.first; i < seen.pool.size(); ++i) {
    const std::int32_t label = seen.pool.label(i);
    scores.push_back(log_odds(coefficients[static_cast<std::size_t>(label)], described(seen.target, i, label)));
  }
  return scores;
}

class ShadowMembership final : public ReadWith<SeesCandidates, Auxiliary> {
 public:
  explicit ShadowMembership(const scenario::ShadowMembership& config) : config_(config) {}

  void check(const InferenceSetting&) const override {
    SOUK_REQUIRE(config_.shadows() % 2 == 0,
                 "shadow_membership.shadows = {}: half of them have a sample; take an even number", config_.shadows());
    SOUK_REQUIRE(!config_.likelihood_ratio().own_variance() || config_.shadows() >= 4,
                 "shadow_membership.likelihood_ratio.own_variance: of one shadow on each side there is none; take four "
                 "shadows or more");
  }

  std::string claims() const override { return "a score for every sample asked about"; }
  std::uint64_t trained_models() const override { return config_.shadows(); }

  Attempt infer(const View& view) const override {
    Network& network = view.network();
    ShadowPool pool(view.auxiliary(), view.candidates());
    const std::uint64_t seed = view.draws().next_seed();
    const ShadowSplit split(pool.size(), config_.shadows(), seed);
    const ShadowTraining training{
        .passes = config_.passes(), .batch_size = config_.batch_size(), .rate = config_.learning_rate()};
    std::vector<float> model(view.model().begin(), view.model().end());
    for (std::size_t v = 0; v < view.change().size(); ++v) model[v] += view.change()[v];
    const PoolAnswers target(pool, network, model, pool.size());
    std::vector<PoolAnswers> shadows;
    for (std::size_t s = 0; s < split.shadows(); ++s) {
      const std::vector<float> shadow = trained_shadow(network, pool, split, s, training, seed, &heartbeat::beat);
      shadows.emplace_back(pool, network, shadow, pool.size());
    }
    const ShadowEvidence seen{pool, view.auxiliary().size(), split, target, shadows};
    return {.claim = ClaimedScores{scores(seen, view.classes())}};
  }

  /// Logits of all shadows, the pool, and a shadow at work.
  double bytes(const Network& network, std::size_t samples, std::size_t) const override {
    const std::size_t asked = 2 * samples, values = network.shape().inputs();
    return static_cast<double>(
        (asked * (values + config_.shadows() * network.shape().outputs()) + 3 * network.layout().dimension()) *
        sizeof(float));
  }

 private:
  std::vector<double> scores(const ShadowEvidence& seen, std::size_t classes) const {
    if (config_.has_difficulty()) return calibrated_difficulties(logits_of_candidates(seen));
    if (config_.has_relative()) return relative(config_.relative(), seen);
    if (config_.has_class_regression()) return regressions(config_.class_regression(), seen, classes);
    const scenario::LikelihoodRatio& ratio = config_.likelihood_ratio();
    const NormalFitting fitting{.means = ratio.means(), .own_variance = ratio.own_variance()};
    const std::vector<ShadowSignals> logits = logits_of_candidates(seen);
    return ratio.offline() ? offline_likelihoods(logits, fitting) : likelihood_ratios(logits, fitting);
  }

  scenario::ShadowMembership config_;
};

const Register<InferenceAttack, ShadowMembership, scenario::ShadowMembership> register_shadow_membership;

}  // namespace
}  // namespace souk
