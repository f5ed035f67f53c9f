#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace souk {

/// A named array of float32 values in C order that lies in memory.
struct TensorView {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;  ///< [product of shape]
};

/// The same with values of its own.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Writes NumPy's archive, an array of float32 for each tensor, in place as a whole. Equal tensors give equal files.
/// Throws std::runtime_error.
void write_npz(const std::filesystem::path& path, std::span<const TensorView> tensors);

/// Writes what torch.save makes of a dict of CPU tensors (zip archive, pickle protocol 2), in the same way: for
/// torch.load(…, weights_only=True) and torch::pickle_load.
void write_pt(const std::filesystem::path& path, std::span<const TensorView> tensors);

/// All arrays of NumPy's archive, in its order. float64 is rounded to float32. Throws InputError for a damaged archive,
/// integers, values that are not finite, two arrays of one name, and an archive without an array.
std::vector<NamedTensor> read_npz(const std::string& path);

}  // namespace souk
