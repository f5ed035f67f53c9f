#include "sim/params/parameter_layout.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"

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

std::string text_of(std::span<const Slot> slots) {
  std::string text;
  for (const Slot& slot : slots) {
    SOUK_EXPECT(!slot.name.empty() && slot.name.find_first_of(" \n") == std::string::npos);
    text += slot.name;
    for (const std::int64_t extent : slot.shape) text += fmt::format(" {}", extent);
    text += '\n';
  }
  return text;
}

std::vector<Slot> slots_of(const std::string& text) {
  std::vector<Slot> slots;
  std::istringstream lines(text);
  std::size_t offset = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Slot slot;
    words >> slot.name;
    SOUK_REQUIRE(!slot.name.empty(), "names and shapes of parameters: an empty line");
    for (std::string word; words >> word;) {
      const auto extent = parse_whole(word);
      SOUK_REQUIRE(extent && *extent > 0, "names and shapes of parameters: '{}' of {} is no extent", word, slot.name);
      slot.shape.push_back(static_cast<std::int64_t>(*extent));
    }
    slot.offset = offset;
    slot.size = count_of(slot.shape);
    offset += slot.size;
    slots.push_back(std::move(slot));
  }
  return slots;
}

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
