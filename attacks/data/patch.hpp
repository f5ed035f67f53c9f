#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "attacks/data_attack.hpp"

namespace souk::scenario {
class Patch;
}

namespace souk {

/// A rectangle that is painted over an image, the same in all of its channels.
class Patch {
 public:
  explicit Patch(const scenario::Patch& config);
  /// Throws InputError where it does not fit into the data set's images: "FIELD.height = …".
  void check(const DataFacts& facts, const std::string& field) const;
  /// Paints it over a sample, [channels, height, width].
  void stamp(const DataFacts& facts, std::span<float> sample) const;

 private:
  std::size_t height_, width_;
  bool at_;  ///< whether row_ and column_ say where it lies
  std::size_t row_, column_;
  std::size_t down_, right_;  ///< otherwise: how many halves of the free space lie above and to the left of it
  float opacity_;
  std::vector<float> brightness_;  ///< [height, width]
};

}  // namespace souk
