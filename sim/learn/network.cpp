#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_kernels.hpp"
#include "sim/learn/chain_network.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/scripted/scripted_network.hpp"
#include "sim/learn/torch_network.hpp"
#include "sim/params/row_sums.hpp"

namespace souk {

double Network::descend(std::span<float>, const Batch&, double, double) {
  SOUK_EXPECT(descends());  // and those who do, override this
  return 0.0;
}

Batch Batch::sample(std::size_t which) const {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;  // spreads small numbers over all bits
  const auto part = [&](auto values) {
    const std::size_t width = values.size() / samples;
    return values.subspan(which * width, width);
  };
  Batch one{.features = part(features), .labels = part(labels), .samples = 1};
  one.numbers = part(numbers);
  one.shares = part(shares);
  one.weights = part(weights);
  if (draws) one.draws = *draws + odd * which;
  return one;
}

double Network::clipped_gradients(std::span<float> parameters, const Batch& batch, double bound, std::span<float> sum) {
  std::vector<float> own(sum.size());
  std::ranges::fill(sum, 0.0F);
  double loss = 0.0;
  for (std::size_t s = 0; s < batch.samples; ++s) {
    loss += gradient(parameters, batch.sample(s), own);
    const double norm = std::sqrt(dot(own.data(), own.data(), own.size()));
    kernels::blend(static_cast<float>(clipping_factor(norm, bound)), own.data(), 1.0F, sum.data(), sum.size());
  }
  return loss;
}

double clipping_factor(double norm, double bound) { return norm <= bound ? 1.0 : bound / norm; }

std::unique_ptr<Network> make_network(const scenario::Model& model, const ModelShape& shape, const std::string& device,
                                      std::shared_ptr<const Objective> objective) {
  if (objective == nullptr) objective = make_objective({}, shape.classes > 0);
  const std::size_t reduction = objective->attention_reduction();
  if (model.has_torchscript()) {
    SOUK_REQUIRE(reduction == 0,
                 "task.objective: asks for the channel attention of a convolution, which torchscript "
                 "does not show");
    return make_scripted_network(model.torchscript(), shape, device, std::move(objective));
  }
  const Architecture architecture =
      reduction > 0 ? make_attentive_architecture(model, shape, reduction) : make_architecture(model, shape);
  if (device == "cpu" && is_chain(architecture)) return make_chain_network(architecture, std::move(objective));
  return make_torch_network(architecture, device, std::move(objective));
}

}  // namespace souk
