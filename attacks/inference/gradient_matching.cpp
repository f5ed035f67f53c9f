#include <algorithm>
#include <numeric>

#include "attacks/adam_descent.hpp"
#include "attacks/bounded_lbfgs.hpp"
#include "attacks/inference_attack.hpp"
#include "attacks/label_estimate.hpp"
#include "attacks/seen_labels.hpp"
#include "attacks/update_match.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Classes in ascending order, each as often as the counts say.
template <class Counts>
std::vector<std::int32_t> labels_in_order(const Counts& counts) {
  std::vector<std::int32_t> labels;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    labels.insert(labels.end(), static_cast<std::size_t>(counts[c]), static_cast<std::int32_t>(c));
  }
  return labels;
}

/// One mini-batch of all.
std::vector<BatchPlaces> all_at_once(std::size_t samples) {
  BatchPlaces all(samples);
  std::iota(all.begin(), all.end(), 0U);
  return {all};
}

/// DLG, iDLG, Inverting Gradients and their relatives, by their settings: dummy samples are moved until training on
/// them gives what is seen.
class GradientMatching final : public ReadWith<KnowsTraining, AuxiliaryIfThere, FactsIfKnown, StatisticsIfKnown> {
 public:
  explicit GradientMatching(const scenario::GradientMatching& config) : config_(config) {}

  std::string claims() const override { return "samples"; }
  std::uint32_t attempts() const override { return config_.restarts(); }

  void check(const InferenceSetting& setting) const override {
    SOUK_REQUIRE(setting.cross_entropy,
                 "gradient_matching: imitates training on cross-entropy, and task.objective is "
                 "another");
    check_statistics(setting);
    SOUK_REQUIRE(setting.network.shape().vocabulary == 0,
                 "gradient_matching: moves samples continuously, and these are tokens of texts");
    const bool joint = config_.labels() == scenario::GradientMatching::JOINT;
    const bool known = setting.knows_labels || setting.knows_counts;
    SOUK_REQUIRE(!joint || !known,
                 "gradient_matching.labels = JOINT: labels are known by knows_labels or knows_counts");
    if (!joint && !known) check_label_estimate(config_.estimator(), "gradient_matching.estimator", setting);
    const auto& input = setting.network.shape().input;
    SOUK_REQUIRE(config_.total_variation() == 0.0 || (input[1] > 1 && input[2] > 1),
                 "gradient_matching.total_variation = {}: is of images, and samples are rows of numbers",
                 config_.total_variation());
  }

  Attempt infer(const View& view) const override {
    UpdateMatch match(problem(view));
    const Smooth cost = [&](std::span<const double> at, std::span<double> gradient) {
      return match.evaluate(at, gradient);
    };
    const Box box{.variables = config_.boxed() ? match.pixels() : 0};
    const Descent found = config_.has_adam() ? minimised_by_adam(cost, start(view, match), box, adam_settings())
                                             : minimised_in_box(cost, start(view, match), box, limits());
    return {.claim =
                ClaimedSamples{
                    .features = match.features_of(found.at), .labels = match.labels_of(found.at), .of_all = !alone()},
            .cost = found.value};
  }

  /// Models before every step and the histories of the descent.
  double bytes(const Network& network, std::size_t samples, std::size_t steps) const override {
    const auto parameters = static_cast<double>(network.layout().trainable());
    const auto variables = static_cast<double>(samples * network.shape().inputs());
    const double memory = config_.has_adam() ? 4.0 : 2.0 * static_cast<double>(config_.lbfgs().memory()) + 6.0;
    return parameters * (static_cast<double>(steps) * 4.0 + 32.0) + variables * (8.0 * memory + 16.0);
  }

 private:
  void check_statistics(const InferenceSetting& setting) const {
    if (!setting.knows_statistics) return;
    SOUK_REQUIRE(setting.network.follows_statistics(),
                 "gradient_matching: follows running statistics through our own layers, and this network is another");
    SOUK_REQUIRE(config_.training() == scenario::GradientMatching::UNROLLED,
                 "gradient_matching.training = ONE_GRADIENT: running statistics move in every step; take UNROLLED, or "
                 "knows_statistics = false");
  }

  bool alone() const { return config_.behind() == scenario::GradientMatching::VICTIM_ALONE; }
  DescentLimits limits() const { return {.steps = config_.lbfgs().iterations(), .memory = config_.lbfgs().memory()}; }
  AdamSettings adam_settings() const {
    return {.steps = config_.adam().iterations(), .rate = config_.adam().rate(), .by_signs = config_.adam().by_signs()};
  }

  ImitatedClient imitated(const View& view, std::size_t member) const {
    const LocalTraining& training = view.training();
    const std::size_t samples = view.samples(member);
    ImitatedClient client{.share = alone() ? 1.0 : view.share(member),
                          .rate = training.rate,
                          .weight_decay = training.weight_decay,
                          .samples = samples,
                          .batches = {}};
    if (config_.training() == scenario::GradientMatching::ONE_GRADIENT) {
      client.batches = all_at_once(samples);
      client.rate *= static_cast<double>(training.steps(samples));
      client.weight_decay = 0.0;
    } else if (const auto known = view.known_batches(member); !known.empty()) {
      client.batches.assign(known.begin(), known.end());
    } else {
      client.batches = view.guessed_batches(member);
    }
    return client;
  }

  MatchProblem problem(const View& view) const {
    MatchProblem problem{
        .network = view.network(),
        .model = view.model(),
        .change = view.change(),
        .clients = {},
        .pixels = view.pixels(),
        .labels = {},
        .cost = config_.cost() == scenario::GradientMatching::COSINE ? MatchCost::cosine : MatchCost::euclidean,
        .total_variation = config_.total_variation(),
        .statistics = view.known_statistics(),
        .of_statistics = config_.statistics()};
    for (std::size_t m = 0; m < (alone() ? 1 : view.behind()); ++m) problem.clients.push_back(imitated(view, m));
    if (config_.labels() != scenario::GradientMatching::JOINT) problem.labels = labels(view, problem.clients);
    return problem;
  }

  /// Of the samples of all clients that are imitated.
  std::vector<std::int32_t> labels(const View& view, std::span<const ImitatedClient> clients) const {
    std::vector<std::int32_t> all;
    std::size_t samples = 0;
    for (std::size_t m = 0; m < clients.size(); ++m) {
      samples += clients[m].samples;
      const auto known = view.known_labels(m);
      if (!known.empty()) {
        all.insert(all.end(), known.begin(), known.end());
      } else if (const auto counts = view.known_counts(m); !counts.empty()) {
        const std::vector<std::int32_t> some = labels_in_order(counts);
        all.insert(all.end(), some.begin(), some.end());
      }
    }
    if (!all.empty()) return all;
    const std::vector<double> counts = estimated_counts(config_.estimator(), true, view, view, view.auxiliary());
    return labels_in_order(whole_counts(counts, samples));
  }

  std::vector<double> start(const View& view, const UpdateMatch& match) const {
    Stream draws = view.draws();
    std::vector<double> at(match.variables());
    const bool normal = config_.start() == scenario::GradientMatching::NORMAL;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const bool pixel = i < match.pixels();
      at[i] = pixel && !normal ? draws.uniform() : draws.normal();
      if (pixel && config_.boxed()) at[i] = std::clamp(at[i], 0.0, 1.0);
    }
    return at;
  }

  scenario::GradientMatching config_;
};

const Register<InferenceAttack, GradientMatching, scenario::GradientMatching> register_gradient_matching;

}  // namespace
}  // namespace souk
