#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/objective.hpp"

namespace souk {
namespace {

/// Two samples of a batch: their labels, and how far apart their attention is.
struct SamplePair {
  std::size_t a = 0, b = 0;
  bool alike = false;
  double distance = 0.0;
};

/// What a pair adds to the mean of its kind, as a function of D^2: with f the term, f' and f'' in D^2 decide gradient
/// 2 f' (a - b) and, along w, curvature 2 f' w + 4 f'' ((a - b) w) (a - b).
struct Term {
  double value = 0.0, first = 0.0, second = 0.0;
};

/// Cross-entropy and, of the mini-batch, how alike the channel attention a = sigmoid(W2 relu(W1 mean(X))) of samples
/// is: the mean of |a_i - a_j|^2 over pairs of one class, and of max(0, margin - |a_i - a_j|)^2 over pairs of two. A
/// mean over no pairs is left out. Souk's own reading of the abstract of Song et al., "CC-Loss: Channel Correlation
/// Loss For Image Classification", ICPR 2020, whose formulas could not be found.
class ChannelCorrelation final : public Objective {
 public:
  explicit ChannelCorrelation(const scenario::ChannelCorrelation& config)
      : weight_(config.weight()),
        margin_(config.margin()),
        reduction_(config.reduction()),
        cross_entropy_(make_objective({}, true)) {}
  bool of_classes() const override { return true; }
  std::size_t attention_reduction() const override { return reduction_; }

  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override {
    cross_entropy_->losses(outputs, width, targets, out);
  }
  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override {
    return cross_entropy_->gradient(outputs, width, targets, total);
  }
  void curvature(std::span<const float> outputs, std::size_t width, const Targets& targets, std::size_t total,
                 std::span<float> direction) const override {
    cross_entropy_->curvature(outputs, width, targets, total, direction);
  }

  double attention_gradient(std::span<float> attention, std::size_t channels, const Targets& targets) const override {
    std::vector<double> gradient(attention.size(), 0.0);
    double sum = 0.0;
    for_each_pair(attention, channels, targets, [&](const SamplePair& pair, double share) {
      const Term term = term_of(pair);
      sum += share * term.value;
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t at = pair.a * channels + c, other = pair.b * channels + c;
        const double slope = share * 2.0 * term.first * difference(attention, at, other);
        gradient[at] += slope;
        gradient[other] -= slope;
      }
    });
    std::ranges::transform(gradient, attention.begin(), [](double value) { return static_cast<float>(value); });
    return sum;
  }

  void attention_curvature(std::span<const float> attention, std::size_t channels, const Targets& targets,
                           std::span<float> direction) const override {
    std::vector<double> product(attention.size(), 0.0);
    for_each_pair(attention, channels, targets, [&](const SamplePair& pair, double share) {
      const Term term = term_of(pair);
      double along = 0.0;
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t at = pair.a * channels + c, other = pair.b * channels + c;
        along += difference(attention, at, other) * difference(direction, at, other);
      }
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t at = pair.a * channels + c, other = pair.b * channels + c;
        const double bend = share * (2.0 * term.first * difference(direction, at, other) +
                                     4.0 * term.second * along * difference(attention, at, other));
        product[at] += bend;
        product[other] -= bend;
      }
    });
    std::ranges::transform(product, direction.begin(), [](double value) { return static_cast<float>(value); });
  }

 private:
  static constexpr double least_distance = 1e-6;  ///< of which the slope of a distance is divided by no less

  static double difference(std::span<const float> values, std::size_t a, std::size_t b) {
    return static_cast<double>(values[a]) - static_cast<double>(values[b]);
  }

  /// Of (margin - D)^2 in D^2: f' = -(margin - D) / D, f'' = margin / (2 D^3).
  Term term_of(const SamplePair& pair) const {
    const double d = pair.distance;
    if (pair.alike) return {.value = d * d, .first = 1.0, .second = 0.0};
    if (d >= margin_) return {};
    const double floored = std::max(d, least_distance);
    const double missing = margin_ - d;
    return {.value = missing * missing,
            .first = -missing / floored,
            .second = margin_ / (2.0 * floored * floored * floored)};
  }

  /// Calls use(pair, weight / pairs of its kind) for every two samples.
  template <class Use>
  void for_each_pair(std::span<const float> attention, std::size_t channels, const Targets& targets,
                     const Use& use) const {
    const std::size_t samples = targets.classes.size();
    std::size_t alike = 0;
    std::vector<SamplePair> pairs;
    for (std::size_t a = 0; a < samples; ++a) {
      for (std::size_t b = a + 1; b < samples; ++b) {
        double square = 0.0;
        for (std::size_t c = 0; c < channels; ++c) {
          const double gap = difference(attention, a * channels + c, b * channels + c);
          square += gap * gap;
        }
        pairs.push_back({a, b, targets.classes[a] == targets.classes[b], std::sqrt(square)});
        alike += pairs.back().alike ? 1 : 0;
      }
    }
    for (const SamplePair& pair : pairs) {
      use(pair, weight_ / static_cast<double>(pair.alike ? alike : pairs.size() - alike));
    }
  }

  double weight_, margin_;
  std::size_t reduction_;
  std::unique_ptr<Objective> cross_entropy_;
};

const Register<Objective, ChannelCorrelation, scenario::ChannelCorrelation> register_channel_correlation;

}  // namespace
}  // namespace souk
