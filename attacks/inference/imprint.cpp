#include <algorithm>
#include <cmath>

#include "attacks/affine_ends.hpp"
#include "attacks/affine_readout.hpp"
#include "attacks/imprint_layer.hpp"
#include "attacks/inference_attack.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Rows of the first layer are this short: the shorter, the less of an update is lost when it is taken for a difference
/// of single-precision models. The next layer makes up for it.
constexpr double row_length = 1.0 / 16.0;

/// Of a hidden layer and the one behind it.
struct FirstLayers {
  AffineSlots first, second;
};

FirstLayers first_layers(const Network& network) {
  const AffineSlots first = *first_affine_layer(network.layout(), network.shape().inputs());
  const Slot& second = network.layout().slots()[2];
  const Slot& bias = network.layout().slots()[3];
  return {first,
          {.weight = second.offset, .bias = bias.offset, .outputs = bias.size, .inputs = second.size / bias.size}};
}

/// A first hidden layer that a malicious server has made to be read: robbing the fed, and trap weights.
class Imprint final : public ReadWith<ControlsModel, Auxiliary> {
 public:
  explicit Imprint(const scenario::Imprint& config) : config_(config) {}

  std::string claims() const override { return "samples"; }

  void check(const InferenceSetting& setting) const override {
    SOUK_REQUIRE(setting.relu_perceptron,
                 "imprint: replaces the first hidden layer of a perceptron with ReLU, mlp {{ }}, and the network is "
                 "none");
  }

  void craft_model(const Network& network, const SampleTable& auxiliary, std::uint64_t seed,
                   std::span<float> model) const override {
    const FirstLayers layers = first_layers(network);
    Stream draws(seed, streams::crafted_layer());
    if (config_.has_traps()) {
      set_traps(layers.first, draws, model);
    } else {
      set_bins(layers, auxiliary, draws, model);
    }
  }

  Attempt infer(const View& view) const override {
    const AffineSlots layer = first_layers(view.network()).first;
    std::vector<float> weights(layer.weights(view.change()).begin(), layer.weights(view.change()).end());
    std::vector<float> biases(layer.biases(view.change()).begin(), layer.biases(view.change()).end());
    if (!config_.has_traps()) difference_bins(weights, biases);
    return {.claim = ClaimedSamples{
                .features = affine_readout(
                    {.weights = weights, .biases = biases, .tolerance = tolerance, .agreement = agreement}),
                .labels = {}}};
  }

 private:
  static constexpr double tolerance = 1e-4;  // differences of neighbours leave rounding errors in empty bins
  static constexpr double agreement = 1e-3;

  std::vector<double> direction(std::size_t inputs, Stream& draws) const {
    const bool random = config_.bins().measurement() == scenario::ImprintBins::RANDOM;
    std::vector<double> values;
    double square = 0.0;
    for (std::size_t j = 0; j < inputs; ++j) {
      values.push_back(random ? draws.normal() : 1.0);
      square += values.back() * values.back();
    }
    for (double& value : values) value *= row_length / std::sqrt(square);
    return values;
  }

  /// Columns of the next layer become alike: one value for each of its rows, the mean size of what it was, with a sign.
  void set_bins(const FirstLayers& layers, const SampleTable& auxiliary, Stream& draws, std::span<float> model) const {
    const auto& [first, second] = layers;
    std::vector<float> row;
    for (const double value : direction(first.inputs, draws)) row.push_back(static_cast<float>(value));
    std::vector<double> measured;
    for (std::size_t i = 0; i < auxiliary.size(); ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < first.inputs; ++j) {
        sum += static_cast<double>(row[j]) * static_cast<double>(auxiliary.features[i * first.inputs + j]);
      }
      measured.push_back(sum);
    }
    const std::vector<double> thresholds = bin_thresholds(measured, first.outputs);
    for (std::size_t b = 0; b < first.outputs; ++b) {
      std::ranges::copy(row, model.begin() + static_cast<std::ptrdiff_t>(first.weight + b * first.inputs));
      model[first.bias + b] = static_cast<float>(-thresholds[b]);
    }
    const double size = 1.0 / (row_length * static_cast<double>(first.outputs));
    for (std::size_t o = 0; o < second.outputs; ++o) {
      const auto value = static_cast<float>(size * draws.normal());
      std::fill_n(model.begin() + static_cast<std::ptrdiff_t>(second.weight + o * second.inputs), second.inputs, value);
    }
  }

  void set_traps(const AffineSlots& layer, Stream& draws, std::span<float> model) const {
    constexpr double deviation = 0.5;
    const std::size_t half = layer.inputs / 2;
    for (std::size_t r = 0; r < layer.outputs; ++r) {
      std::vector<std::uint32_t> places(layer.inputs), order(half);
      for (std::size_t j = 0; j < places.size(); ++j) places[j] = static_cast<std::uint32_t>(j);
      for (std::size_t j = 0; j < half; ++j) order[j] = static_cast<std::uint32_t>(j);
      draws.shuffle(places);
      draws.shuffle(order);
      std::vector<double> sizes;
      for (std::size_t j = 0; j < half; ++j) sizes.push_back(std::abs(deviation * draws.normal()));
      const std::span<float> row = model.subspan(layer.weight + r * layer.inputs, layer.inputs);
      std::ranges::fill(row, 0.0F);
      for (std::size_t j = 0; j < half; ++j) {
        row[places[j]] = static_cast<float>(-sizes[j]);
        row[places[half + j]] = static_cast<float>(config_.traps().scale() * sizes[order[j]]);
      }
      model[layer.bias + r] = 0.0F;
    }
  }

  scenario::Imprint config_;
};

const Register<InferenceAttack, Imprint, scenario::Imprint> register_imprint;

}  // namespace
}  // namespace souk
