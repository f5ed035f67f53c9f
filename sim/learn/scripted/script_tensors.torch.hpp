#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include "sim/learn/scripted/first_values.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// The tensors of a module. Those of float32 that are parameters or buffers make the model; what else there is stays as
/// the file has it. Tensors that share their memory are one.
class ScriptTensors {
 public:
  /// Throws InputError where tensors overlap in parts, or are of another type of floating-point numbers.
  ScriptTensors(const std::string& path, const torch::jit::Module& module);
  const ParameterLayout& layout() const { return layout_; }
  /// In the order of the layout.
  const std::vector<ModuleTensor>& described() const { return described_; }
  /// Of the file, or of what they were last made views of, [dimension].
  std::vector<float> values() const;
  /// Makes all of them views of `flat`; the trainable ones.
  std::vector<at::Tensor> place(const at::Tensor& flat);
  /// Buffers get memory of their own, so that what is written to them is lost.
  void set_buffers_apart();

  /// Tensors beside the model, by their names.
  struct Constant {
    std::string name;
    at::Tensor tensor;
  };
  const std::vector<Constant>& constants() const { return constants_; }

 private:
  class Collector;
  std::vector<ModuleTensor> described_;
  std::vector<at::Tensor> tensors_;  ///< in the order of the layout
  std::vector<Constant> constants_;
  ParameterLayout layout_;
};

}  // namespace souk
