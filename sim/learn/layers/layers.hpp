#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "sim/learn/layer.hpp"

namespace souk {

/// Settings of a convolution, so that calls read.
struct Conv {
  std::size_t channels = 1, kernel = 3, stride = 1, padding = 0;
  bool bias = true;
};

}  // namespace souk

/// The kinds of layers, for Architecture::append. Parameters are NAME.weight and NAME.bias, with PyTorch's default
/// values (uniform within 1/sqrt(inputs of an output); normalisations are identity) unless something else is said.
namespace souk::layers {

/// Flattens, channel-major, and multiplies.
std::unique_ptr<Layer> affine(std::string name, std::size_t outputs);
/// Cross-correlation, zero padding.
std::unique_ptr<Layer> conv2d(std::string name, const Conv& conv);
/// max(x, 0)
std::unique_ptr<Layer> relu();
/// x where it is positive, `negative` x where not.
std::unique_ptr<Layer> leaky_relu(double negative);
/// 1 / (1 + exp(-x))
std::unique_ptr<Layer> sigmoid();
/// Window = stride = kernel; what does not fill a window is dropped.
std::unique_ptr<Layer> max_pool(std::size_t kernel);
/// Mean over the pixels of each channel.
std::unique_ptr<Layer> global_average_pool();
/// Zero mean and unit variance over groups of channels of one sample, then affine.
std::unique_ptr<Layer> group_norm(std::string name, std::size_t groups);
/// The same per channel over the batch; running statistics when evaluating: buffers NAME.running_mean,
/// NAME.running_var.
std::unique_ptr<Layer> batch_norm(std::string name);
/// A row of values for each token of a text, from tokens {length, 1, 1} to {values, 1, length}. Rows are uniform within
/// 0.25 at first; token 0 is zeros, whatever its row holds.
std::unique_ptr<Layer> embedding(std::string name, std::size_t values);
/// Convolutions over time of several widths, of each filter the maximum over time: from {values, 1, length} to
/// {filters * widths, 1, 1}. A filter of width w is moved over the text with w - 1 zeros before and after it, so that
/// it meets every word in each of its places, in texts shorter than it, too. All filters of one width are the slot
/// NAMEw.weight; widths must differ.
std::unique_ptr<Layer> text_conv(std::string name, std::size_t filters, std::vector<std::size_t> widths);
/// Pushes the value on the stack of saved ones.
std::unique_ptr<Layer> save();
/// Exchanges the value with the top of the stack.
std::unique_ptr<Layer> swap();
/// Pops the stack and adds it to the value.
std::unique_ptr<Layer> add();

}  // namespace souk::layers
