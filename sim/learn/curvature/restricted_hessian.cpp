#include "sim/learn/curvature/restricted_hessian.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace souk {
namespace {

std::string_view layer_of(const Slot& slot) { return std::string_view(slot.name).substr(0, slot.name.find('.')); }

}  // namespace

TrainableRange parameters_of_last_layer(const ParameterLayout& layout) {
  const auto slots = layout.slots();
  const auto end = std::ranges::find(slots, false, &Slot::trainable);  // buffers come last
  auto first = end;
  while (first != slots.begin() && layer_of(*(first - 1)) == layer_of(*(end - 1))) --first;
  const std::size_t begin = first == end ? 0 : first->offset;
  return {begin, layout.trainable() - begin};
}

HessianProduct restricted(HessianProduct hessian, std::size_t dimension, TrainableRange range) {
  return [hessian = std::move(hessian), whole = std::vector<float>(dimension), product = std::vector<float>(dimension),
          range](std::span<const float> direction, std::span<float> out) mutable {
    std::ranges::copy(direction, range.of(std::span(whole)).begin());  // what is outside stays 0
    hessian(whole, product);
    std::ranges::copy(range.of(std::span(product)), out.begin());
  };
}

}  // namespace souk
