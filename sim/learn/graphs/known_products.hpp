#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/learn/graphs/convolution.hpp"
#include "sim/learn/graphs/feature_weight.hpp"

namespace souk {

/// Products of the inputs of all nodes with the weights that read them: each row formed when it is first asked for, and
/// good as long as the weights stay what they are. Fields with sources read them instead of features.
template <class T>
class KnownProducts {
 public:
  /// `all`: features of all `nodes`, which must outlive it.
  KnownProducts(const NodeInput<T>& all, std::size_t nodes) : all_(all), nodes_(nodes) {}
  /// One more input [width] behind those of the nodes; returns its row.
  std::uint32_t add(std::span<const double> input) {
    more_.insert(more_.end(), input.begin(), input.end());
    forget();
    return static_cast<std::uint32_t>(nodes_ + more_.size() / all_.width - 1);
  }
  /// [nodes and more, outputs] of the weight that lies there: the rows that `sources` name, and others that are no
  /// matter. Defined in layer_parts.hpp, beside the product.
  const T* of(const T* weight, std::size_t outputs, std::span<const NodeSource> sources);
  void forget() { products_.clear(); }

 private:
  struct Products {
    FeatureWeight<T> weight;
    std::unique_ptr<T[]> rows;           ///< [nodes and more, outputs]
    std::vector<std::uint8_t> is_there;  ///< [nodes and more] whether the row is formed
  };
  Products& products_of(const T* weight, std::size_t outputs);

  NodeInput<T> all_;
  std::size_t nodes_;
  std::vector<T> more_;  ///< [any, width]
  std::vector<Products> products_;
};

}  // namespace souk
