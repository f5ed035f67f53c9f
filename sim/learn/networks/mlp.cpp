#include <string>
#include <vector>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// Fully connected layers with ReLU, or sigmoids, between them; by default the 2NN of McMahan et al., AISTATS 2017:
/// 199,210 parameters for 784 features and 10 classes.
class Mlp final : public ModelFamily {
 public:
  explicit Mlp(const scenario::Mlp& config)
      : hidden_(config.hidden().begin(), config.hidden().end()),
        smooth_(config.activation() == scenario::Mlp::SIGMOID) {
    if (hidden_.empty()) hidden_ = {200, 200};
  }
  Architecture build(const ModelShape& shape) const override {
    Architecture network("mlp", shape);
    std::size_t layer = 0;
    for (const std::size_t width : hidden_) {
      network.append(layers::affine("fc" + std::to_string(++layer), width),
                     smooth_ ? layers::sigmoid() : layers::relu());
    }
    return network.append(layers::affine("fc" + std::to_string(++layer), shape.outputs()));
  }

 private:
  std::vector<std::size_t> hidden_;
  bool smooth_;
};

const Register<ModelFamily, Mlp, scenario::Mlp> register_mlp;

}  // namespace
}  // namespace souk
