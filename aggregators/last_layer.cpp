#include "aggregators/last_layer.hpp"

#include "sim/base/contract.hpp"

namespace souk {

LastLayer last_layer(const ParameterLayout& layout) {
  std::vector<const Slot*> trainable;
  for (const Slot& slot : layout.slots()) {
    if (slot.trainable) trainable.push_back(&slot);
  }
  const auto range = [](const Slot& slot) { return ColumnRange{slot.offset, slot.offset + slot.size}; };
  const std::size_t count = trainable.size();
  if (count >= 2 && trainable[count - 1]->shape.size() == 1 && trainable[count - 2]->shape.size() == 2 &&
      trainable[count - 1]->shape[0] == trainable[count - 2]->shape[0]) {
    return {range(*trainable[count - 2]), range(*trainable[count - 1])};
  }
  SOUK_REQUIRE(count >= 1 && trainable[count - 1]->shape.size() == 2,
               "aggregator: the rule looks at the last layer, and the network does not end in a weight matrix");
  return {range(*trainable[count - 1]), {}};
}

}  // namespace souk
