#include "sim/learn/scripted/first_values.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "scenarios/own_code.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

constexpr const char* field = "task.model.torchscript.initialisers";

/// Whether `pattern`, in which * stands for any characters, is the whole name.
bool fits_pattern(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (name.substr(0, star) != pattern.substr(0, star)) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= name.size(); ++at) {
    if (fits_pattern(rest, name.substr(at))) return true;
  }
  return false;
}

bool fits(const scenario::Initialiser& rule, const Slot& slot) {
  return (rule.dimensions() == 0 || rule.dimensions() == slot.shape.size()) &&
         (rule.name().empty() || fits_pattern(rule.name(), slot.name));
}

/// Values that one output depends on (dimension 0 counts outputs), and outputs that one value reaches.
double fan(const std::vector<std::int64_t>& shape, std::size_t without) {
  double product = 1.0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != without) product *= static_cast<double>(shape[i]);
  }
  return product;
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

enum class LayerKind : std::uint8_t { unknown, affine, embedding, norm };

LayerKind kind_of(std::string_view layer) {
  if (layer == "Linear" || begins(layer, "Conv")) return LayerKind::affine;
  if (layer == "Embedding") return LayerKind::embedding;
  if (layer == "GroupNorm" || layer == "LayerNorm" || begins(layer, "BatchNorm") || begins(layer, "InstanceNorm")) {
    return LayerKind::norm;
  }
  return LayerKind::unknown;
}

}  // namespace

FirstValues::Draw FirstValues::draw_of(const scenario::TorchScript& config, const ModuleTensor& tensor) {
  using Rule = scenario::Initialiser;
  using Kind = Draw::Kind;
  const Slot& slot = tensor.slot;
  for (int i = 0; i < config.initialisers_size(); ++i) {
    const Rule& rule = config.initialisers(i);
    if (!fits(rule, slot)) continue;
    const bool fans = rule.has_fan_in_uniform() || rule.has_fan_in_normal() || rule.has_xavier_uniform();
    SOUK_REQUIRE(
        !fans || slot.shape.size() >= 2,
        "{}[{}]: needs tensors of two dimensions or more, and {} has {}: name those it is for, or give dimensions",
        field, i, slot.name, slot.shape.size());
    switch (rule.values_case()) {
      case Rule::kFromFile:
        SOUK_REQUIRE(rule.from_file(), "{}[{}].from_file: is false, which says nothing: choose how to draw", field, i);
        return {};
      case Rule::kConstant:
        return {.kind = Kind::constant, .size = rule.constant()};
      case Rule::kUniform:
        return {.kind = Kind::uniform, .size = rule.uniform()};
      case Rule::kNormal:
        return {.kind = Kind::normal, .size = rule.normal()};
      case Rule::kFanInUniform:
        return {.kind = Kind::uniform, .size = rule.fan_in_uniform() / std::sqrt(fan(slot.shape, 0))};
      case Rule::kFanInNormal:
        return {.kind = Kind::normal, .size = rule.fan_in_normal() / std::sqrt(fan(slot.shape, 0))};
      case Rule::kXavierUniform:
        return {.kind = Kind::uniform,
                .size = rule.xavier_uniform() * std::sqrt(6.0 / (fan(slot.shape, 0) + fan(slot.shape, 1)))};
      case Rule::VALUES_NOT_SET:
        break;
    }
    throw_input_error("{}[{}]: says of which tensors it is, and not how they are drawn", field, i);
  }
  const std::string_view what = last_part(slot.name);
  switch (kind_of(tensor.layer)) {
    case LayerKind::affine:
      if (!tensor.weight.empty()) return {.kind = Kind::uniform, .size = 1.0 / std::sqrt(fan(tensor.weight, 0))};
      break;
    case LayerKind::embedding: {
      Draw draw{.kind = Kind::normal, .size = 1.0};
      if (tensor.padding >= 0) {
        draw.zeros = static_cast<std::size_t>(slot.shape.back());
        draw.zeros_from = static_cast<std::size_t>(tensor.padding) * draw.zeros;
      }
      return draw;
    }
    case LayerKind::norm:
      return {.kind = Kind::constant, .size = what == "weight" || what == "running_var" ? 1.0 : 0.0};
    case LayerKind::unknown:
      break;
  }
  SOUK_REQUIRE(
      !slot.trainable,
      "task.model.torchscript.first_values: DRAWN, and {} {} cannot be drawn anew: say how in initialisers, or "
      "keep the file's with from_file: true",
      slot.name, tensor.layer.empty() ? "is of no layer of PyTorch's, so it" : "of a " + tensor.layer);
  return {};
}

FirstValues::FirstValues(const scenario::TorchScript& config, const std::vector<ModuleTensor>& tensors,
                         std::vector<float> from_file)
    : from_file_(std::move(from_file)) {
  const bool drawn = config.first_values() == scenario::TorchScript::DRAWN;
  SOUK_REQUIRE(drawn || config.initialisers_size() == 0,
               "{}: say how values are drawn, and first_values says FROM_FILE: set it to DRAWN", field);
  for (int i = 0; i < config.initialisers_size(); ++i) {
    const auto of_rule = [&](const ModuleTensor& tensor) { return fits(config.initialisers(i), tensor.slot); };
    SOUK_REQUIRE(std::ranges::any_of(tensors, of_rule), "{}[{}]: fits none of the module's {} tensors", field, i,
                 tensors.size());
  }
  if (!drawn) return;
  for (const ModuleTensor& tensor : tensors) {
    Draw draw = draw_of(config, tensor);
    draw.offset = tensor.slot.offset;
    draw.count = tensor.slot.size;
    draws_.push_back(draw);
  }
}

void FirstValues::draw(Stream& random, std::span<float> parameters) const {
  SOUK_EXPECT(parameters.size() == from_file_.size());
  std::ranges::copy(from_file_, parameters.begin());
  for (const Draw& draw : draws_) {
    const auto size = static_cast<float>(draw.size);
    const std::span<float> values = parameters.subspan(draw.offset, draw.count);
    switch (draw.kind) {
      case Draw::Kind::keep:
        break;
      case Draw::Kind::constant:
        std::ranges::fill(values, size);
        break;
      case Draw::Kind::uniform:
        for (float& value : values) value = size * (2.0F * random.uniform_float() - 1.0F);
        break;
      case Draw::Kind::normal:
        for (float& value : values) value = static_cast<float>(draw.size * random.normal());
        break;
    }
    std::ranges::fill(values.subspan(draw.zeros_from, draw.zeros), 0.0F);
  }
}

}  // namespace souk
