#include "sim/learn/scripted/script_body.torch.hpp"

#include <array>
#include <span>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/nan_to_num.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include "scenarios/own_code.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/data_path.hpp"
#include "sim/learn/scripted/script_file.torch.hpp"
#include "sim/learn/scripted/script_probe.torch.hpp"
#include "sim/learn/scripted/scripted_network.hpp"
#include "sim/learn/torch_network.hpp"

namespace souk {
namespace {

constexpr const char* file_field = "task.model.torchscript.file";

void seed_generator(const at::Device& device, std::uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
}

bool has_buffers(const torch::jit::Module& layer) {
  for (const at::Tensor& buffer : layer.buffers(/*recurse=*/false)) {
    if (buffer.defined() && buffer.is_floating_point()) return true;
  }
  return false;
}

std::string required_file(const scenario::TorchScript& config) {
  SOUK_REQUIRE(!config.file().empty(), "{}: is empty, must name the file that torch.jit.save wrote", file_field);
  return data_path(file_field, config.file());
}

/// Samples as modules of PyTorch take them: rows have no height and width, words are whole numbers. What is no word,
/// such as noise, is taken for the nearest below.
at::Tensor as_input(const at::Tensor& features, const ModelShape& shape) {
  if (shape.vocabulary > 0) {
    return features.flatten(1).nan_to_num(0.0).clamp(0, static_cast<std::int64_t>(shape.vocabulary) - 1).to(at::kLong);
  }
  return shape.input[1] * shape.input[2] == 1 ? features.flatten(1) : features;
}

}  // namespace

std::recursive_mutex& torch_generator_in_use() {
  static std::recursive_mutex mutex;
  return mutex;
}

ScriptBody::ScriptBody(const scenario::TorchScript& config, const ModelShape& shape, const std::string& device)
    : path_(required_file(config)),
      shape_(shape),
      module_(load_script(path_)),
      tensors_(path_, module_),
      first_values_(config, tensors_.described(), tensors_.values()) {
  for (const torch::jit::Module& layer : module_.modules()) {
    if (layer.type()->findAttribute("training") != nullptr) layers_.emplace_back(layer, has_buffers(layer));
  }
  // An operator that has no fixed order of sums is refused by LibTorch itself.
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  const at::Device place = torch_device(device);
  if (!place.is_cpu()) module_.to(place);
  cost_ = try_script(*this, place);
}

Footprint ScriptBody::footprint(std::size_t trained, std::size_t tested) const {
  constexpr double libtorch = 24e6, interpreter = 6e6;
  Footprint footprint;
  footprint.held = libtorch + interpreter + static_cast<double>(layout().dimension() * sizeof(float));
  footprint.at(Moment::training) =
      static_cast<double>(trained) * cost_.trained_bytes + static_cast<double>(layout().trainable() * sizeof(float));
  footprint.at(Moment::testing) = static_cast<double>(tested) * cost_.tested_bytes;
  return footprint;
}

void ScriptBody::set_mode(Mode mode) {
  if (mode == mode_) return;
  for (auto& [layer, buffers] : layers_) {
    layer.setattr("training", mode == Mode::training || (mode == Mode::training_without_draws && buffers));
  }
  mode_ = mode;
}

TorchAnswer ScriptBody::forward(const at::Tensor& features, RunningStatistics statistics,
                                std::optional<std::uint64_t> draws) {
  if (statistics == RunningStatistics::leave) tensors_.set_buffers_apart();
  set_mode(statistics == RunningStatistics::use ? Mode::testing
           : draws.has_value()                  ? Mode::training
                                                : Mode::training_without_draws);
  const std::lock_guard alone(torch_generator_in_use());
  seed_generator(features.device(), draws.value_or(0));
  at::Tensor outputs = call(as_input(features, shape_));
  check(outputs, features.size(0));
  return {outputs};
}

at::Tensor ScriptBody::call(const at::Tensor& input) const {
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  try {
    const c10::IValue answer = module_.get_method("forward")({input});
    SOUK_REQUIRE(answer.isTensor(), "{}: forward answers a {}, must answer one tensor", path_, answer.tagKind());
    return answer.toTensor();
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    throw_input_error("{}: fails on a batch [{}]: {}", path_, fmt::join(input.sizes().vec(), ", "),
                      complaint_of(error));
  }
}

void ScriptBody::check(const at::Tensor& outputs, std::int64_t samples) const {
  const std::array must{samples, static_cast<std::int64_t>(shape_.outputs())};
  SOUK_REQUIRE(outputs.sizes() == at::IntArrayRef(must), "{}: answers [{}], must answer [{}, {}]: {}", path_,
               fmt::join(outputs.sizes().vec(), ", "), must[0], must[1],
               shape_.classes > 0 ? "a logit of each class for each sample" : "a number for each sample");
  SOUK_REQUIRE(outputs.scalar_type() == at::kFloat, "{}: answers numbers of {}, must answer float32", path_,
               c10::toString(outputs.scalar_type()));
}

std::unique_ptr<Network> make_scripted_network(const scenario::TorchScript& config, const ModelShape& shape,
                                               const std::string& device, std::shared_ptr<const Objective> objective) {
  return make_torch_network(std::make_unique<ScriptBody>(config, shape, device), device, std::move(objective));
}

std::size_t scripted_parameter_count(const scenario::TorchScript& config) {
  const std::string path = required_file(config);
  return ScriptTensors(path, load_script(path)).layout().dimension();
}

}  // namespace souk
