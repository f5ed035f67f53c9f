#include <array>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/networks/residual.hpp"

namespace souk {
namespace {

/// ResNet-18 for small images: 11,173,962 trainable parameters for 32x32x3 and 10 classes.
class ResNet18 final : public ModelFamily {
 public:
  explicit ResNet18(const scenario::ResNet18& config)
      : batch_norm_(config.normalization() == scenario::BATCH_NORM), groups_(config.groups()) {}
  Architecture build(const ModelShape& shape) const override {
    static constexpr std::array<std::size_t, 4> channels{64, 128, 256, 512};
    return residual_network("resnet18", shape,
                            {.channels = channels, .blocks = 2, .batch_norm = batch_norm_, .groups = groups_});
  }

 private:
  bool batch_norm_;
  std::size_t groups_;
};

const Register<ModelFamily, ResNet18, scenario::ResNet18> register_res_net18;

}  // namespace
}  // namespace souk
