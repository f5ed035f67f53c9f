#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <torch/csrc/jit/api/module.h>

#include "sim/learn/scripted/first_values.hpp"
#include "sim/learn/scripted/script_tensors.torch.hpp"
#include "sim/learn/torch_body.torch.hpp"

namespace souk {

/// Ranks that are threads share LibTorch's generator: nobody may draw between another one's seed and draws.
std::recursive_mutex& torch_generator_in_use();

/// What a module takes, found by trying it.
struct ScriptCost {
  double flops = 0.0;                              ///< of one forward pass for one sample
  double trained_bytes = 0.0, tested_bytes = 0.0;  ///< for one sample
};

/// A module that PyTorch has saved. It runs as it is written, without the optimisations of LibTorch's just-in-time
/// compiler, which begin after some calls and round otherwise. What it draws comes from LibTorch's generator, seeded
/// for every pass.
class ScriptBody final : public TorchBody {
 public:
  ScriptBody(const scenario::TorchScript& config, const ModelShape& shape, const std::string& device);

  const ParameterLayout& layout() const override { return tensors_.layout(); }
  const ModelShape& shape() const override { return shape_; }
  std::string name() const override { return path_; }
  double forward_flops() const override { return cost_.flops; }
  /// As found on a batch of two samples; LibTorch itself takes 24 MB when it is first used, and its interpreter 6 more.
  Footprint footprint(std::size_t trained, std::size_t tested) const override;
  void initialise(Stream& random, std::span<float> parameters) const override {
    first_values_.draw(random, parameters);
  }
  std::vector<at::Tensor> place(const at::Tensor& flat) override { return tensors_.place(flat); }
  TorchAnswer forward(const at::Tensor& features, RunningStatistics statistics,
                      std::optional<std::uint64_t> draws) override;

  std::span<const float> first_values() const { return first_values_.from_file(); }
  const std::vector<ScriptTensors::Constant>& constants() const { return tensors_.constants(); }

 private:
  /// Of a layer: those with buffers normalise by the batch, others draw.
  enum class Mode : std::uint8_t { unset, testing, training, training_without_draws };
  void set_mode(Mode mode);
  at::Tensor call(const at::Tensor& input) const;
  void check(const at::Tensor& outputs, std::int64_t samples) const;

  std::string path_;
  ModelShape shape_;
  torch::jit::Module module_;
  ScriptTensors tensors_;
  FirstValues first_values_;
  std::vector<std::pair<torch::jit::Module, bool>> layers_;  ///< those that have a mode, and whether they have buffers
  Mode mode_ = Mode::unset;
  ScriptCost cost_;
};

}  // namespace souk
