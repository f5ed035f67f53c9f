#include "sim/params/parameter_layout.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// FNV-1a, 64 bits: a stable fingerprint of a few hundred bytes, not a defence against anybody.
class Fnv1a {
 public:
  void add(std::uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001B3; }
  void add(std::string_view text) {
    for (const char letter : text) add(static_cast<std::uint8_t>(letter));
    add(std::uint8_t{0});
  }
  void add(std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) add(static_cast<std::uint8_t>(number >> shift));
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325;
};

std::size_t count_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) {
    SOUK_EXPECT(extent > 0);
    count *= static_cast<std::size_t>(extent);
  }
  return count;
}

}  // namespace

ParameterLayout::ParameterLayout(std::vector<Slot> slots) : slots_(std::move(slots)) {
  std::stable_partition(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.trainable; });
  Fnv1a hash;
  for (Slot& slot : slots_) {
    slot.offset = dimension_;
    slot.size = count_of(slot.shape);
    dimension_ += slot.size;
    if (slot.trainable) trainable_ = dimension_;
    hash.add(slot.name);
    for (const std::int64_t extent : slot.shape) hash.add(static_cast<std::uint64_t>(extent));
    hash.add(std::uint8_t{slot.trainable});
  }
  fingerprint_ = hash.value();
}

const Slot& ParameterLayout::slot(std::string_view name) const {
  const auto found = std::find_if(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.name == name; });
  SOUK_EXPECT(found != slots_.end());
  return *found;
}

}  // namespace souk
