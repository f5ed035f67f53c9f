#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>
#include <ATen/ops/embedding.h>

#include "sim/base/contract.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layer_tools.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// As Kim's code draws words of which it knows no vector. PyTorch's normal values of variance 1 drown what is learned
/// of rare words: after 20 rounds of scenarios/text/topics.textproto at noise 0.9, 78 instead of 84 % are right.
constexpr float bound = 0.25F;

class Embedding final : public Layer {
 public:
  Embedding(std::string name, std::size_t values) : name_(std::move(name)), values_(values) {}

  Extent place(Architecture& network) override {
    vocabulary_ = network.shape().vocabulary;
    SOUK_EXPECT(vocabulary_ > 0 && in().pixels() == 1);
    weight_ = network.add_trainable(name_ + ".weight", {vocabulary_, values_});
    return {.channels = values_, .width = in().channels};
  }

  void initialise(Stream& random, std::span<const std::span<float>> slots) const override {
    const std::span<float> rows = slots[weight_];
    std::ranges::fill(rows.first(values_), 0.0F);
    for (float& value : rows.subspan(values_)) value = bound * (2.0F * random.uniform_float() - 1.0F);
  }

  /// [samples, length, 1, 1] to [samples, values, 1, length]. Inputs that are no tokens, such as noise, are taken for
  /// the nearest below. Zeros for token 0 whatever its row holds, which an attacker may have written.
  at::Tensor forward(const at::Tensor& value, TorchPass& pass) const override {
    const at::Tensor tokens = value.flatten(1).nan_to_num(0.0).clamp(0, to_signed(vocabulary_) - 1).floor();
    const at::Tensor is_word = tokens.gt(0).to(at::kFloat).unsqueeze(2);
    const at::Tensor rows = at::embedding(pass.slots[weight_], tokens.to(at::kLong)).mul(is_word);
    return rows.transpose(1, 2).unsqueeze(2);
  }

 private:
  std::string name_;
  std::size_t values_;
  std::size_t vocabulary_ = 0;
  std::size_t weight_ = 0;  ///< slot: [vocabulary, values]; the first row is that of padding
};

}  // namespace

std::unique_ptr<Layer> layers::embedding(std::string name, std::size_t values) {
  return std::make_unique<Embedding>(std::move(name), values);
}

}  // namespace souk
