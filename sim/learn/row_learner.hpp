#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/learn/augmentation.hpp"
#include "sim/learn/float_buffer.hpp"
#include "sim/learn/local_trainer.hpp"
#include "sim/learn/model.hpp"

namespace souk {

/// Mini-batches of rows: read, augmented, edited, and given to a network.
class RowLearner final : public Learner {
 public:
  /// `network` and `data` must outlive it, and fit.
  RowLearner(const scenario::Training& training, Network& network, const Dataset& data);
  const ParameterLayout& layout() const override { return network_.layout(); }
  double gradient(std::span<float> parameters, const MiniBatch& batch, std::span<float> gradient) override;
  double clipped_gradients(std::span<float> parameters, const MiniBatch& batch, double bound,
                           std::span<float> sum) override;
  bool descends() const override { return network_.descends(); }
  double descend(std::span<float> parameters, const MiniBatch& batch, double learning_rate,
                 double weight_decay) override;

 private:
  Batch load(const MiniBatch& batch);

  Network& network_;
  const Dataset& data_;
  Augmenter augmenter_;
  std::optional<Stream> augmentation_, draws_;  ///< of the pass
  FloatBuffer features_;
  std::vector<std::int32_t> labels_;
  std::vector<float> numbers_, weights_;
};

}  // namespace souk
