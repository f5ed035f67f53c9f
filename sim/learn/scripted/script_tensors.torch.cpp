#include "sim/learn/scripted/script_tensors.torch.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

std::vector<std::int64_t> shape_of(const at::Tensor& tensor) { return tensor.sizes().vec(); }

/// PyTorch's own kind of the layer, from a class as __torch__.torch.nn.modules.conv.___torch_mangle_3.Conv2d.
std::string layer_of(const torch::jit::Module& module) {
  const auto name = module.type()->name();
  if (!name.has_value() || name->qualifiedName().find("torch.nn.modules.") == std::string::npos) return {};
  return name->name();
}

std::int64_t padding_of(const torch::jit::Module& module) {
  const c10::IValue padding = module.attr("padding_idx", c10::IValue());
  return padding.isInt() ? padding.toInt() : -1;
}

}  // namespace

/// Walks through a module and what it holds. Slots of tensors that are another one get the other one, so that a
/// gradient has a single leaf.
class ScriptTensors::Collector {
 public:
  explicit Collector(const std::string& path) : path_(path) {}

  void walk(const torch::jit::Module& module) {
    for (const auto& named : module.named_modules()) take(named.name, named.value);
    // The layout has trainable tensors first.
    std::ranges::stable_partition(found, [](const Found& one) { return one.described.slot.trainable; });
  }

  struct Found {
    ModuleTensor described;
    at::Tensor tensor;
  };
  std::vector<Found> found;
  std::vector<Constant> constants;

 private:
  void take(const std::string& prefix, const torch::jit::Module& module) {
    const auto& type = *module.type();
    for (std::size_t i = 0; i < type.numAttributes(); ++i) {
      const c10::IValue value = module._ivalue()->getSlot(i);
      if (!value.isTensor() || !value.toTensor().defined()) continue;
      const std::string name = prefix.empty() ? type.getAttributeName(i) : prefix + "." + type.getAttributeName(i);
      const at::Tensor& tensor = value.toTensor();
      const bool of_model = type.is_parameter(i) || type.is_buffer(i);
      if (!of_model || !tensor.is_floating_point()) {
        constants.push_back({name, tensor});
        continue;
      }
      check(name, tensor);
      if (const Found* same = same_as(name, tensor)) {
        module._ivalue()->setSlot(i, same->tensor);
        continue;
      }
      add(name, tensor, type.is_parameter(i), module);
    }
  }

  void check(const std::string& name, const at::Tensor& tensor) const {
    SOUK_REQUIRE(tensor.scalar_type() == at::kFloat,
                 "{}: {} is of {}, and networks compute in float32: call net.float() before it is exported", path_,
                 name, c10::toString(tensor.scalar_type()));
    SOUK_REQUIRE(tensor.layout() == at::kStrided && tensor.numel() > 0,
                 "{}: {} must be a dense tensor of at least one value", path_, name);
  }

  const Found* same_as(const std::string& name, const at::Tensor& tensor) const {
    for (const Found& other : found) {
      if (!other.tensor.storage().is_alias_of(tensor.storage())) continue;
      const bool same = other.tensor.data_ptr() == tensor.data_ptr() && other.tensor.sizes() == tensor.sizes() &&
                        other.tensor.strides() == tensor.strides();
      SOUK_REQUIRE(same, "{}: {} shares a part of its memory with {}, must share all of it or none", path_, name,
                   other.described.slot.name);
      return &other;
    }
    return nullptr;
  }

  void add(const std::string& name, const at::Tensor& tensor, bool parameter, const torch::jit::Module& module) {
    ModuleTensor described{.slot = {.name = name, .shape = shape_of(tensor)}, .layer = layer_of(module)};
    described.slot.trainable = parameter && tensor.requires_grad();
    const c10::IValue weight = module.attr("weight", c10::IValue());
    if (weight.isTensor()) described.weight = shape_of(weight.toTensor());
    if (described.layer == "Embedding") described.padding = padding_of(module);
    found.push_back({std::move(described), tensor});
  }

  const std::string& path_;
};

namespace {

ParameterLayout layout_over(const std::vector<ModuleTensor>& tensors) {
  std::vector<Slot> slots;
  for (const ModuleTensor& tensor : tensors) slots.push_back(tensor.slot);
  return ParameterLayout(std::move(slots));
}

}  // namespace

ScriptTensors::ScriptTensors(const std::string& path, const torch::jit::Module& module) : layout_({}) {
  Collector collector(path);
  collector.walk(module);
  for (Collector::Found& one : collector.found) {
    described_.push_back(std::move(one.described));
    tensors_.push_back(std::move(one.tensor));
  }
  constants_ = std::move(collector.constants);
  layout_ = layout_over(described_);
  for (std::size_t i = 0; i < described_.size(); ++i) described_[i].slot = layout_.slots()[i];
  SOUK_REQUIRE(layout_.trainable() > 0,
               "{}: has no parameters that need a gradient: they are lost where a module is frozen before it is saved",
               path);
}

std::vector<float> ScriptTensors::values() const {
  std::vector<float> values(layout_.dimension());
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const at::Tensor here = tensors_[i].detach().to(at::kCPU).contiguous();
    std::copy_n(here.data_ptr<float>(), described_[i].slot.size, values.data() + described_[i].slot.offset);
  }
  return values;
}

std::vector<at::Tensor> ScriptTensors::place(const at::Tensor& flat) {
  std::vector<at::Tensor> trainable;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const Slot& slot = described_[i].slot;
    tensors_[i].set_data(
        flat.narrow(0, static_cast<std::int64_t>(slot.offset), static_cast<std::int64_t>(slot.size)).view(slot.shape));
    if (slot.trainable) trainable.push_back(tensors_[i]);
  }
  return trainable;
}

void ScriptTensors::set_buffers_apart() {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (!described_[i].slot.trainable) tensors_[i].set_data(tensors_[i].detach().clone());
  }
}

}  // namespace souk
