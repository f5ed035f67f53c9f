#include <algorithm>
#include <cmath>
#include <vector>

#include "attacks/inference_attack.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/row_sums.hpp"
#include "sim/stats/normal_distribution.hpp"

namespace souk {
namespace {

using Signal = scenario::UpdateMembership::Signal;

double product(std::span<const float> a, std::span<const float> b) { return dot(a.data(), b.data(), a.size()); }

/// One candidate, looked at through one update after the other.
class AskedSample {
 public:
  AskedSample(const PublicCase& seen, const SampleTable& candidates, std::size_t which)
      : seen_(seen),
        features_(candidates.features.subspan(which * seen.features(), seen.features())),
        label_(candidates.labels.subspan(which, 1)),
        trainable_(seen.change().size()) {}

  double loss_at(std::vector<float>& model) {
    gradient_.resize(trainable_);
    return seen_.network().gradient(model, batch(), gradient_);
  }
  std::span<const float> gradient() const { return gradient_; }

 private:
  Batch batch() const { return {.features = features_, .labels = label_, .samples = 1}; }
  const PublicCase& seen_;
  std::span<const float> features_;
  std::span<const std::int32_t> label_;
  std::size_t trainable_;
  std::vector<float> gradient_;
};

/// Li, Li, Ribeiro, ICLR 2023 (cosine, difference); loss and gradient norm of the returned model; the fall of the loss.
/// With the other clients' updates as those of whom the sample is no member: Zhu et al., "FedMIA", 2024, equation 6.
class Membership final : public ReadWith<SeesCandidates, OthersIfThere, StepsIfKnown> {
 public:
  explicit Membership(const scenario::UpdateMembership& config) : config_(config) {}

  InferenceGrants needs() const override {
    InferenceGrants needs = ReadWith::needs();
    if (config_.against_others()) needs = needs | InferenceGrants{InferenceGrant::others};
    if (config_.signal() == scenario::UpdateMembership::DIFFERENCE)
      needs = needs | InferenceGrants{InferenceGrant::training};
    return needs;
  }

  std::string claims() const override { return "a score for every sample asked about"; }

  Attempt infer(const View& view) const override {
    ClaimedScores claim;
    for (std::size_t i = 0; i < view.candidates().size(); ++i) claim.scores.push_back(score(view, i));
    return {.claim = std::move(claim)};
  }

 private:
  double score(const View& view, std::size_t which) const {
    AskedSample candidate(view, view.candidates(), which);
    std::vector<float> sent(view.model().begin(), view.model().end());
    const double before = candidate.loss_at(sent);
    const std::vector<float> slope(candidate.gradient().begin(), candidate.gradient().end());
    const auto signal = [&](std::span<const float> update) {
      return signal_of(view, candidate, before, slope, update);
    };
    const double own = signal(view.change());
    if (!config_.against_others()) return own;
    double sum = 0.0, squares = 0.0;
    for (const std::span<const float> other : view.others()) {
      const double value = signal(other);
      sum += value;
      squares += value * value;
    }
    const auto n = static_cast<double>(view.others().size());
    const double mean = sum / n, deviation = std::sqrt(std::max(squares / n - mean * mean, 0.0));
    return deviation > 0.0 ? normal_cdf((own - mean) / deviation) : (own > mean ? 1.0 : 0.5);
  }

  double signal_of(const View& view, AskedSample& candidate, double before, std::span<const float> slope,
                   std::span<const float> update) const {
    switch (config_.signal()) {
      case scenario::UpdateMembership::LOSS:
        return -loss_after(view, candidate, update);
      case scenario::UpdateMembership::GRADIENT_NORM:
        loss_after(view, candidate, update);
        return -std::sqrt(product(candidate.gradient(), candidate.gradient()));
      case scenario::UpdateMembership::LOSS_DROP:
        return before - loss_after(view, candidate, update);
      case scenario::UpdateMembership::DIFFERENCE: {
        // |U|^2 - |U - g|^2 = 2 <U, g> - |g|^2 with U = -update / (rate steps).
        const double per_step = view.rate_times_steps();
        return -2.0 * product(update, slope) / per_step - product(slope, slope);
      }
      default: {
        const double lengths = std::sqrt(product(slope, slope) * product(update, update));
        return lengths > 0.0 ? -product(update, slope) / lengths : 0.0;
      }
    }
  }

  static double loss_after(const View& view, AskedSample& candidate, std::span<const float> update) {
    std::vector<float> model(view.model().begin(), view.model().end());
    for (std::size_t v = 0; v < update.size(); ++v) model[v] += update[v];
    return candidate.loss_at(model);
  }

  scenario::UpdateMembership config_;
};

const Register<InferenceAttack, Membership, scenario::UpdateMembership> register_membership;

}  // namespace
}  // namespace souk
