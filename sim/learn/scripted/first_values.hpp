#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk::scenario {
class TorchScript;
}

namespace souk {

/// A tensor of a module and the layer that holds it.
struct ModuleTensor {
  Slot slot;                           ///< without a place
  std::string layer;                   ///< PyTorch's kind: "Linear"; empty where it is none of PyTorch's
  std::vector<std::int64_t> weight{};  ///< shape of the layer's weight; empty: it has none
  std::int64_t padding = -1;           ///< of an Embedding: the row that stays zero; -1: none
};

/// How the tensors of a module get their first values: from its file, or drawn by rules for names and dimensions, and
/// for kinds of layers as PyTorch's reset_parameters does.
class FirstValues {
 public:
  /// `tensors` and `from_file` [dimension] as in the layout. Throws InputError where a rule fits no tensor or cannot be
  /// followed, and where a parameter is to be drawn and nobody says how.
  FirstValues(const scenario::TorchScript& config, const std::vector<ModuleTensor>& tensors,
              std::vector<float> from_file);
  void draw(Stream& random, std::span<float> parameters) const;
  std::span<const float> from_file() const { return from_file_; }

 private:
  struct Draw {
    enum class Kind : std::uint8_t { keep, constant, uniform, normal } kind = Kind::keep;
    double size = 0.0;  ///< the constant, the bound, the standard deviation
    std::size_t offset = 0, count = 0;
    std::size_t zeros_from = 0, zeros = 0;  ///< of the tensor: values that are zero whatever was drawn
  };
  static Draw draw_of(const scenario::TorchScript& config, const ModuleTensor& tensor);

  std::vector<float> from_file_;
  std::vector<Draw> draws_;
};

}  // namespace souk
