#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/chain_network.hpp"
#include "sim/learn/model.hpp"
#include "sim/learn/torch_network.hpp"

namespace souk {

double Network::descend(std::span<float>, const Batch&, double, double) {
  SOUK_EXPECT(descends());  // and those who do, override this
  return 0.0;
}

std::unique_ptr<Network> make_network(const scenario::Model& model, const ModelShape& shape,
                                      const std::string& device) {
  const Architecture architecture = make_architecture(model, shape);
  if (device == "cpu" && is_chain(architecture)) return make_chain_network(architecture);
  return make_torch_network(architecture, device);
}

}  // namespace souk
