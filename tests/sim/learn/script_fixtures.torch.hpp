#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

namespace souk::scripts {

using torch::jit::Module;

/// Different values of about a tenth.
inline at::Tensor some_values(at::IntArrayRef shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return at::arange(count, at::kFloat).mul(0.7).add(0.3).sin().mul(0.2).view(shape);
}

inline at::Tensor parameter(at::IntArrayRef shape) { return some_values(shape).requires_grad_(true); }

/// A layer of PyTorch's own kind, as torch.jit.script names it.
inline Module layer(const std::string& kind) { return Module("__torch__.torch.nn.modules.any." + kind); }

inline Module linear(std::int64_t inputs, std::int64_t outputs) {
  Module module = layer("Linear");
  module.register_parameter("weight", parameter({outputs, inputs}), false);
  module.register_parameter("bias", parameter({outputs}), false);
  module.define("def forward(self, x):\n  return torch.linear(x, self.weight, self.bias)\n");
  return module;
}

inline Module conv2d(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel) {
  Module module = layer("Conv2d");
  module.register_parameter("weight", parameter({outputs, inputs, kernel, kernel}), false);
  module.register_parameter("bias", parameter({outputs}), false);
  module.define("def forward(self, x):\n  return torch.conv2d(x, self.weight, self.bias)\n");
  return module;
}

/// `momentum`: as an expression.
inline Module batch_norm(std::int64_t channels, const std::string& momentum = "0.1") {
  Module module = layer("BatchNorm2d");
  module.register_parameter("weight", at::ones({channels}).requires_grad_(true), false);
  module.register_parameter("bias", at::zeros({channels}).requires_grad_(true), false);
  module.register_buffer("running_mean", at::zeros({channels}));
  module.register_buffer("running_var", at::ones({channels}));
  module.register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(
      "def forward(self, x):\n"
      "  if self.training:\n"
      "    self.num_batches_tracked.add_(1)\n"
      "  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var, self.training, " +
      momentum + ", 1e-5, False)\n");
  return module;
}

inline Module dropout(double share) {
  Module module = layer("Dropout");
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define("def forward(self, x):\n  return torch.dropout(x, " + std::to_string(share) + ", self.training)\n");
  return module;
}

using Layers = std::vector<std::pair<std::string, Module>>;

/// The layers under their names, and the body of forward(self, x), where self.NAME(...) runs a layer as in Python.
inline Module net(const Layers& layers, std::string body) {
  Module module("__torch__.Net");
  module.register_attribute("training", c10::BoolType::get(), true);
  for (const auto& [name, layer] : layers) {
    module.register_module(name, layer);
    const std::string call = "self." + name;
    for (std::size_t at = body.find(call + "("); at != std::string::npos; at = body.find(call + "(")) {
      body.insert(at + call.size(), ".forward");
    }
  }
  module.define("def forward(self, x):\n  " + body + "\n");
  return module;
}

/// The path of a file of the running test's own.
inline std::string script_file(const std::string& name = "net.pt") {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = std::filesystem::path(testing::TempDir()) / ("souk_scripts_" + std::to_string(::getpid())) /
                      (std::string(info->test_suite_name()) + "." + info->name());
  std::filesystem::create_directories(folder);
  return folder / name;
}

/// Saves it, and says so as a scenario's model does.
inline std::string saved(const Module& module, const std::string& more = "", const std::string& name = "net.pt") {
  const std::string path = script_file(name);
  module.save(path);
  return "torchscript { file: \"" + path + "\" " + more + " }";
}

}  // namespace souk::scripts
