#include <vector>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014, in its variant that learns the
/// embedding from nothing; without dropout and the bound on the last layer's norm.
class TextCnn final : public ModelFamily {
 public:
  explicit TextCnn(const scenario::TextCnn& config)
      : embedding_(config.embedding()),
        filters_(config.filters()),
        widths_(config.widths().begin(), config.widths().end()) {
    if (widths_.empty()) widths_ = {3, 4, 5};
  }
  bool reads_tokens() const override { return true; }
  Architecture build(const ModelShape& shape) const override {
    return Architecture("text_cnn", shape)
        .append(layers::embedding("embedding", embedding_), layers::text_conv("conv", filters_, widths_))
        .append(layers::relu())  // of the maximum: the same as the maximum of ReLUs
        .append(layers::affine("fc", shape.outputs()));
  }

 private:
  std::size_t embedding_, filters_;
  std::vector<std::size_t> widths_;
};

const Register<ModelFamily, TextCnn, scenario::TextCnn> register_text_cnn;

}  // namespace
}  // namespace souk
