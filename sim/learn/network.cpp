#include <utility>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_network.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/scripted/scripted_network.hpp"
#include "sim/learn/torch_network.hpp"

namespace souk {

double Network::descend(std::span<float>, const Batch&, double, double) {
  SOUK_EXPECT(descends());  // and those who do, override this
  return 0.0;
}

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
