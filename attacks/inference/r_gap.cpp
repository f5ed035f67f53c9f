#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "attacks/inference_attack.hpp"
#include "attacks/least_squares.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/curvature/double_vectors.hpp"

namespace souk {
namespace {

/// Numbers of a system of equations: 2 GB of them.
constexpr double most_numbers = 2.5e8;

/// Factor that makes equations with this right side weigh as much as any others.
double weight_of(std::span<const double> right) {
  const double length = vectors::norm(right);
  return length > 0.0 ? 1.0 / length : 0.0;
}

/// A layer's parameters, and their gradient up to a factor that is the same for all.
struct LinearLayer {
  const Layer& layer;
  std::vector<double> weights{}, biases{};           ///< biases: 0 where it has none
  std::vector<double> weight_slope{}, bias_slope{};  ///< no values where it has none
  /// Every weight stands in one product alone.
  bool is_affine() const { return weights.size() == layer.in().size() * layer.out().size(); }
};

/// What is between two layers of a network: a sample's values, and the gradient of its loss in them.
struct Traced {
  std::vector<double> values, slopes;
};

/// The way from what a network answers back to what it read.
class WayBack {
 public:
  WayBack(const Architecture& architecture, std::span<const float> model, std::span<const float> gradient,
          double tolerance)
      : architecture_(architecture), model_(model), gradient_(gradient), tolerance_(tolerance) {}

  std::vector<double> sample() const {
    const auto layers = architecture_.layers();
    const LinearLayer last = linear(*layers.back());
    Traced at{.values = {}, .slopes = last.bias_slope};
    at = before_affine(last, at);
    for (std::size_t l = layers.size() - 1; l-- > 0;) {
      const Layer& layer = *layers[l];
      heartbeat::beat();
      if (layer.inverse(0.5)) {
        undo(layer, at);
        continue;
      }
      const LinearLayer products = linear(layer);
      at = products.is_affine() ? before_affine(products, at) : before_convolution(products, at);
    }
    return at.values;
  }

 private:
  LinearLayer linear(const Layer& layer) const {
    LinearLayer out{.layer = layer};
    const LinearSlots places = *layer.linear_slots();
    const std::vector<Slot> slots = architecture_.slots();
    const auto part = [&](std::span<const float> flat, std::size_t slot) {
      const auto values = flat.subspan(slots[slot].offset, slots[slot].size);
      return std::vector<double>(values.begin(), values.end());
    };
    out.weights = part(model_, places.weight);
    out.weight_slope = part(gradient_, places.weight);
    out.biases.resize(layer.out().channels);
    if (places.bias) {
      out.biases = part(model_, *places.bias);
      out.bias_slope = part(gradient_, *places.bias);
    }
    return out;
  }

  static void undo(const Layer& layer, Traced& at) {
    for (std::size_t i = 0; i < at.values.size(); ++i) {
      const Inverse read = *layer.inverse(at.values[i]);
      at.values[i] = read.in;
      at.slopes[i] *= read.slope;
    }
  }

  /// Slopes in what a layer read, from those in what it answered.
  static std::vector<double> slopes_before(const LinearLayer& layer, std::span<const double> slopes) {
    std::vector<double> before(layer.layer.in().size());
    layer.layer.for_each_product(
        [&](const WeightedInput& term) { before[term.input] += layer.weights[term.weight] * slopes[term.output]; });
    return before;
  }

  /// Every row of the gradient is what was read times the slope in what was answered: least squares of all rows.
  static Traced before_affine(const LinearLayer& layer, const Traced& at) {
    Traced before{.values = std::vector<double>(layer.layer.in().size()), .slopes = slopes_before(layer, at.slopes)};
    const double square = vectors::dot(at.slopes, at.slopes);
    if (!(square > 0.0)) return before;  // nothing was sent
    layer.layer.for_each_product([&](const WeightedInput& term) {
      before.values[term.input] += at.slopes[term.output] * layer.weight_slope[term.weight] / square;
    });
    return before;
  }

  /// What it answered, and the gradient of its weights, both linear in what it read.
  Traced before_convolution(const LinearLayer& layer, const Traced& at) const {
    const std::size_t outputs = at.values.size();
    Equations equations(outputs + layer.weights.size(), layer.layer.in().size());
    std::vector<double> answers = at.values;
    for (std::size_t o = 0; o < outputs; ++o) answers[o] -= layer.biases[o / layer.layer.out().pixels()];
    const double of_answers = weight_of(answers), of_slopes = weight_of(layer.weight_slope);
    layer.layer.for_each_product([&](const WeightedInput& term) {
      equations.at(term.output, term.input) += of_answers * layer.weights[term.weight];
      equations.at(outputs + term.weight, term.input) += of_slopes * at.slopes[term.output];
    });
    for (std::size_t o = 0; o < outputs; ++o) equations.right[o] = of_answers * answers[o];
    for (std::size_t w = 0; w < layer.weights.size(); ++w) {
      equations.right[outputs + w] = of_slopes * layer.weight_slope[w];
    }
    return {.values = shortest_least_squares(std::move(equations), tolerance_),
            .slopes = slopes_before(layer, at.slopes)};
  }

  const Architecture& architecture_;
  std::span<const float> model_, gradient_;
  double tolerance_;
};

/// The largest system of equations on the way back.
double numbers_of(const Architecture& architecture) {
  double most = 0.0;
  for (const auto& layer : architecture.layers()) {
    const std::optional<LinearSlots> places = layer->linear_slots();
    if (!places) continue;
    const std::size_t weights = architecture.slots()[places->weight].size, inputs = layer->in().size();
    if (weights == inputs * layer->out().size()) continue;
    most = std::max(most, static_cast<double>(layer->out().size() + weights) * static_cast<double>(inputs));
  }
  return most;
}

/// R-GAP, for classes and biases in the last layer, whose gradient is the slope that everything begins with: the
/// equation of one variable for it, of binary classifiers without biases, has nothing to do here. Steps and rates
/// cancel, so that it takes updates as they are.
class RGap final : public ReadWith<> {
 public:
  explicit RGap(const scenario::RGap& config) : config_(config) {}

  std::string claims() const override { return "samples"; }

  void check(const InferenceSetting& setting) const override {
    const Architecture* architecture = setting.network.architecture();
    SOUK_REQUIRE(architecture != nullptr, "r_gap: goes back layer by layer, and this network shows none");
    for (const auto& layer : architecture->layers()) {
      SOUK_REQUIRE(layer->linear_slots() || layer->inverse(0.5),
                   "r_gap: goes back layer by layer, and {} has one whose input cannot be told from its output: take "
                   "mlp or conv_net, with activations that can be inverted, and without normalisation",
                   architecture->name());
    }
    SOUK_REQUIRE(
        numbers_of(*architecture) <= most_numbers,
        "r_gap: the equations of the largest convolution are {:.0f} MB of numbers, and are solved up to {:.0f} "
        "MB: take fewer filters or larger strides",
        numbers_of(*architecture) * 8e-6, most_numbers * 8e-6);
  }

  Attempt infer(const View& view) const override {
    const Architecture& architecture = *view.network().architecture();
    const std::vector<double> values = WayBack(architecture, view.model(), view.change(), config_.tolerance()).sample();
    const LinearSlots last = *architecture.layers().back()->linear_slots();
    const auto biases = view.change().subspan(architecture.slots()[*last.bias].offset, view.classes());
    return {.claim = ClaimedSamples{
                .features = std::vector<float>(values.begin(), values.end()),
                .labels = {static_cast<std::int32_t>(std::ranges::max_element(biases) - biases.begin())}}};
  }

  double bytes(const Network& network, std::size_t, std::size_t) const override {
    return numbers_of(*network.architecture()) * sizeof(double);
  }

 private:
  scenario::RGap config_;
};

const Register<InferenceAttack, RGap, scenario::RGap> register_r_gap;

}  // namespace
}  // namespace souk
