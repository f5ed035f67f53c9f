#include "aggregators/stats/labels.hpp"

#include <map>

namespace souk {

std::vector<std::size_t> numbered_by_first_member(std::span<const std::size_t> labels) {
  std::map<std::size_t, std::size_t> numbers;
  std::vector<std::size_t> result;
  for (const std::size_t label : labels) {
    result.push_back(label == noise ? noise : numbers.try_emplace(label, numbers.size()).first->second);
  }
  return result;
}

std::vector<std::size_t> cluster_sizes(std::span<const std::size_t> labels) {
  std::vector<std::size_t> sizes;
  for (const std::size_t label : labels) {
    if (label >= sizes.size()) sizes.resize(label + 1);
    ++sizes[label];
  }
  return sizes;
}

}  // namespace souk
