#include <array>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/networks/residual.hpp"

namespace souk {
namespace {

/// ResNet-20 for small images: 272,474 trainable parameters for 32x32x3 and 10 classes.
class ResNet20 final : public ModelFamily {
 public:
  explicit ResNet20(const scenario::ResNet20& config)
      : batch_norm_(config.normalization() == scenario::BATCH_NORM), groups_(config.groups()) {}
  Architecture build(const ModelShape& shape) const override {
    static constexpr std::array<std::size_t, 3> channels{16, 32, 64};
    return residual_network("resnet20", shape,
                            {.channels = channels, .blocks = 3, .batch_norm = batch_norm_, .groups = groups_});
  }

 private:
  bool batch_norm_;
  std::size_t groups_;
};

const Register<ModelFamily, ResNet20, scenario::ResNet20> register_res_net20;

}  // namespace
}  // namespace souk
