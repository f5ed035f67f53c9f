#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/learn/model.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// Channels, height and width of one sample between two layers; a flat vector of f values is {f, 1, 1}.
struct Extent {
  std::size_t channels = 1, height = 1, width = 1;
  std::size_t pixels() const { return height * width; }
  std::size_t size() const { return channels * pixels(); }
  bool operator==(const Extent&) const = default;
};

enum class LayerKind : std::uint8_t {
  affine,               ///< flattens, channel-major
  conv2d,               ///< cross-correlation, zero padding
  relu,                 ///< max(x, 0)
  max_pool,             ///< window = stride = kernel; what does not fill a window is dropped
  global_average_pool,  ///< mean over the pixels of each channel
  group_norm,           ///< zero mean and unit variance over groups of channels of one sample, then affine
  batch_norm,           ///< the same per channel over the batch; running statistics when evaluating
  embedding,            ///< a row of values for each token of a text; token 0 is zeros, whatever its row holds
  text_conv,            ///< convolutions over time of several widths, of each filter the maximum over time
  save,                 ///< pushes the value on a stack
  swap,                 ///< exchanges the value with the top of the stack
  add,                  ///< pops the stack and adds it to the value
};

/// The filters of one width of text_conv.
struct TextFilters {
  std::size_t width = 1;
  std::size_t weight = 0, bias = 0;  ///< offsets; weight [filters, in.channels, width]
};

/// One layer: what it reads and writes, and where its parameters lie in the flat vector.
struct Layer {
  LayerKind kind = LayerKind::relu;
  Extent in, out;
  std::size_t kernel = 1, stride = 1, padding = 0;
  std::size_t groups = 1;            ///< of group_norm
  std::size_t weight = 0, bias = 0;  ///< offsets; weight [out, in] or [out, in, kernel, kernel]
  bool has_bias = false;
  std::vector<TextFilters> text_filters{};             ///< of text_conv, in the order of its outputs
  std::size_t running_mean = 0, running_variance = 0;  ///< offsets of batch_norm's buffers, [channels]
};

/// Added to variances by both normalisations, and the weight of a new batch in the running statistics.
inline constexpr double norm_epsilon = 1e-5;
inline constexpr double batch_norm_momentum = 0.1;

/// Settings of a convolution, so that calls read.
struct Conv {
  std::size_t channels = 1, kernel = 3, stride = 1, padding = 0;
  bool bias = true;
};

/// A network as data: a list of layers over one flat parameter vector, which a kernel library interprets. Built layer
/// by layer; every step checks that the shapes fit and throws InputError with the sizes where they do not. Parameters
/// are named and shaped as PyTorch names and shapes them.
class Architecture {
 public:
  Architecture(std::string name, const ModelShape& shape);

  Architecture& affine(const std::string& name, std::size_t outputs);
  Architecture& conv2d(const std::string& name, const Conv& conv);
  Architecture& relu();
  Architecture& max_pool(std::size_t kernel);
  Architecture& global_average_pool();
  Architecture& group_norm(const std::string& name, std::size_t groups);
  Architecture& batch_norm(const std::string& name);
  /// From tokens {length, 1, 1} to {values, 1, length}.
  Architecture& embedding(const std::string& name, std::size_t values);
  /// From {values, 1, length} to {filters * widths, 1, 1}. A filter of width w is moved over the text with w - 1 zeros
  /// before and after it, so that it meets every word in each of its places, in texts shorter than it, too. All filters
  /// of one width are the slot NAMEw.weight; widths must differ.
  Architecture& text_conv(const std::string& name, std::size_t filters, const std::vector<std::size_t>& widths);
  Architecture& save();
  Architecture& swap();
  Architecture& add();

  const std::string& name() const { return name_; }
  const ModelShape& shape() const { return shape_; }
  /// The layers so far, with the offsets they would have if nothing followed.
  std::vector<Layer> layers() const;
  const Extent& out() const { return value_; }  ///< extent after the last layer
  /// Layout of all parameters added so far.
  ParameterLayout layout() const { return ParameterLayout(slots_); }
  /// PyTorch's defaults: weights and biases uniform within 1/sqrt(fan_in), in slot order; normalisations are identity;
  /// embeddings, unlike PyTorch's, are uniform within 0.25, and that of token 0 is zeros.
  void initialise(Stream& random, std::span<float> parameters) const;
  /// Of convolutions (over time, too) and affine layers, for one sample; multiply and add are two.
  double forward_flops() const;

 private:
  Layer& append(LayerKind kind, const Extent& out);
  Layer& append_norm(LayerKind kind, const std::string& name);
  std::size_t add_trainable(const std::string& name, const std::vector<std::size_t>& shape);
  std::size_t add_buffer(const std::string& name, std::size_t size);

  std::string name_;
  ModelShape shape_;
  Extent value_;
  std::vector<Extent> stack_;
  std::vector<Layer> layers_;  ///< buffers' offsets count from the end of the trainable values
  std::vector<Slot> slots_;
  std::size_t trainable_ = 0, buffers_ = 0;
};

/// A family of networks, as chosen in scenario::Model: from its settings and the input to layers. One file per family.
class ModelFamily {
 public:
  virtual ~ModelFamily() = default;
  /// Whether its inputs are token numbers of a text, and not quantities.
  virtual bool reads_tokens() const { return false; }
  virtual Architecture build(const ModelShape& shape) const = 0;
};

/// The architecture that `model` chooses, for this input. Throws InputError where it cannot read it.
Architecture make_architecture(const scenario::Model& model, const ModelShape& shape);

}  // namespace souk
