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

/// Loss and gradient of one candidate after the other, at a model of its own.
class AskedModel {
 public:
  AskedModel(const PublicCase& seen, const SampleTable& candidates)
      : seen_(seen),
        candidates_(candidates),
        model_(seen.model().begin(), seen.model().end()),
        gradient_(seen.change().size()) {}

  /// From now on the model that was sent and this change of it.
  void change_by(std::span<const float> update) {
    for (std::size_t v = 0; v < update.size(); ++v) model_[v] = seen_.model()[v] + update[v];
  }
  double loss(std::size_t which) {
    const std::size_t width = seen_.features();
    return seen_.network().gradient(model_,
                                    {.features = candidates_.features.subspan(which * width, width),
                                     .labels = candidates_.labels.subspan(which, 1),
                                     .samples = 1},
                                    gradient_);
  }
  /// Of the last candidate.
  std::span<const float> gradient() const { return gradient_; }

 private:
  const PublicCase& seen_;
  const SampleTable& candidates_;
  std::vector<float> model_, gradient_;
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
  /// Few values among all of an update's, in a product of two.
  bool reads_output_biases() const override { return config_.signal() != scenario::UpdateMembership::COSINE; }

  Attempt infer(const View& view) const override {
    std::vector<std::span<const float>> updates{view.change()};
    if (config_.against_others()) updates.insert(updates.end(), view.others().begin(), view.others().end());
    const Signals signals = at_sent_model() ? signals_there(view, updates) : signals_after(view, updates);
    ClaimedScores claim;
    for (std::size_t i = 0; i < view.candidates().size(); ++i) {
      claim.scores.push_back(config_.against_others() ? beside_others(signals, i) : signals.front()[i]);
    }
    return {.claim = std::move(claim)};
  }

 private:
  using Signals = std::vector<std::vector<double>>;  ///< [updates] [candidates]; the update that is seen comes first

  bool at_sent_model() const {
    return config_.signal() == scenario::UpdateMembership::COSINE ||
           config_.signal() == scenario::UpdateMembership::DIFFERENCE;
  }

  /// Those that compare updates with a sample's gradient at the model that was sent.
  Signals signals_there(const View& view, std::span<const std::span<const float>> updates) const {
    AskedModel sent(view, view.candidates());
    Signals signals(updates.size());
    for (std::size_t i = 0; i < view.candidates().size(); ++i) {
      sent.loss(i);
      const std::span<const float> slope = sent.gradient();
      for (std::size_t u = 0; u < updates.size(); ++u) {
        signals[u].push_back(config_.signal() == scenario::UpdateMembership::COSINE
                                 ? cosine(slope, updates[u])
                                 : difference(slope, updates[u], view.rate_times_steps()));
      }
    }
    return signals;
  }

  static double cosine(std::span<const float> slope, std::span<const float> update) {
    const double lengths = std::sqrt(product(slope, slope) * product(update, update));
    return lengths > 0.0 ? -product(update, slope) / lengths : 0.0;
  }

  /// |U|^2 - |U - g|^2 = 2 <U, g> - |g|^2 with U = -update / (rate steps).
  static double difference(std::span<const float> slope, std::span<const float> update, double rate_times_steps) {
    return -2.0 * product(update, slope) / rate_times_steps - product(slope, slope);
  }

  /// Those that look at the models to which updates lead.
  Signals signals_after(const View& view, std::span<const std::span<const float>> updates) const {
    AskedModel model(view, view.candidates());
    std::vector<double> before;
    for (std::size_t i = 0; i < view.candidates().size(); ++i) before.push_back(model.loss(i));
    Signals signals(updates.size());
    for (std::size_t u = 0; u < updates.size(); ++u) {
      model.change_by(updates[u]);
      for (std::size_t i = 0; i < before.size(); ++i) signals[u].push_back(signal_after(model, i, before[i]));
    }
    return signals;
  }

  double signal_after(AskedModel& model, std::size_t which, double before) const {
    const double loss = model.loss(which);
    if (config_.signal() == scenario::UpdateMembership::LOSS) return -loss;
    if (config_.signal() == scenario::UpdateMembership::LOSS_DROP) return before - loss;
    return -std::sqrt(product(model.gradient(), model.gradient()));
  }

  static double beside_others(const Signals& signals, std::size_t which) {
    double sum = 0.0, squares = 0.0;
    for (std::size_t u = 1; u < signals.size(); ++u) {
      sum += signals[u][which];
      squares += signals[u][which] * signals[u][which];
    }
    const auto n = static_cast<double>(signals.size() - 1);
    const double mean = sum / n, deviation = std::sqrt(std::max(squares / n - mean * mean, 0.0));
    const double own = signals.front()[which];
    return deviation > 0.0 ? normal_cdf((own - mean) / deviation) : (own > mean ? 1.0 : 0.5);
  }

  scenario::UpdateMembership config_;
};

const Register<InferenceAttack, Membership, scenario::UpdateMembership> register_membership;

}  // namespace
}  // namespace souk
