#include "attacks/affine_ends.hpp"
#include "attacks/affine_readout.hpp"
#include "attacks/inference_attack.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Rows of the first layer over their biases. Steps and rates cancel, so that it takes updates as they are.
class AffineInversion final : public ReadWith<> {
 public:
  explicit AffineInversion(const scenario::AffineInversion& config) : config_(config) {}

  std::string claims() const override { return "samples"; }
  bool reads_output_biases() const override { return false; }

  void check(const InferenceSetting& setting) const override {
    SOUK_REQUIRE(first_affine_layer(setting.network.layout(), setting.network.shape().inputs()),
                 "affine_inversion: reads the first layer's weights and biases, and it is no affine one");
  }

  Attempt infer(const View& view) const override {
    const AffineSlots layer = *first_affine_layer(view.network().layout(), view.features());
    return {.claim = ClaimedSamples{.features = affine_readout({.weights = layer.weights(view.change()),
                                                                .biases = layer.biases(view.change()),
                                                                .tolerance = config_.tolerance(),
                                                                .agreement = config_.agreement()}),
                                    .labels = {}}};
  }

 private:
  scenario::AffineInversion config_;
};

const Register<InferenceAttack, AffineInversion, scenario::AffineInversion> register_affine_inversion;

}  // namespace
}  // namespace souk
