#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "sim/base/footprint.hpp"
#include "sim/base/random.hpp"
#include "sim/learn/layer.hpp"
#include "sim/learn/model.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// "cpu", "cuda" or "cuda:K". Throws InputError where it is not there.
at::Device torch_device(const std::string& name);

/// What LibTorch complains about, in one line.
std::string complaint_of(const std::exception& error);

/// What a network computes of a batch.
struct TorchAnswer {
  at::Tensor outputs;      ///< [samples, outputs]
  at::Tensor attention{};  ///< [samples, channels]; undefined where nothing computes it
  /// Of every buffer, in the order of their places, by how much it would move; none unless that is followed.
  std::vector<at::Tensor> moves{};
};

/// A network's tensors over flat memory, and a forward pass through them by differentiable operators: what TorchNetwork
/// differentiates. Everything that knows what the network is made of.
class TorchBody {
 public:
  virtual ~TorchBody() = default;
  virtual const ParameterLayout& layout() const = 0;
  virtual const ModelShape& shape() const = 0;
  virtual void initialise(Stream& random, std::span<float> parameters) const = 0;
  virtual double forward_flops() const = 0;
  virtual Footprint footprint(std::size_t trained, std::size_t tested) const = 0;
  virtual const Architecture* architecture() const { return nullptr; }
  /// Whether it knows RunningStatistics::follow.
  virtual bool follows_statistics() const { return layout().trainable() == layout().dimension(); }
  /// How sentences begin that are about it.
  virtual std::string name() const = 0;
  /// Makes the network's tensors views of `flat` [dimension], whose memory outlives the pass. The trainable ones, which
  /// are leaves, in slot order.
  virtual std::vector<at::Tensor> place(const at::Tensor& flat) = 0;
  /// `draws` as in Batch.
  virtual TorchAnswer forward(const at::Tensor& features, RunningStatistics statistics,
                              std::optional<std::uint64_t> draws) = 0;
};

}  // namespace souk
