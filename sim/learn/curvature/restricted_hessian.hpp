#pragma once

#include <cstddef>
#include <span>

#include "sim/learn/curvature/solver.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// Some of a model's trainable values, one after the other.
struct TrainableRange {
  std::size_t first = 0, size = 0;
  template <class T>
  std::span<T> of(std::span<T> trainable) const {
    return trainable.subspan(first, size);
  }
};

/// The parameters of the last layer that has any: those whose names begin as the last one's does, up to the first dot.
TrainableRange parameters_of_last_layer(const ParameterLayout& layout);

/// The part of a Hessian that belongs to these parameters while the others are held; `dimension`: of all of it.
HessianProduct restricted(HessianProduct hessian, std::size_t dimension, TrainableRange range);

}  // namespace souk
