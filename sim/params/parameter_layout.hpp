#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// One named tensor in the flat vector.
struct Slot {
  std::string name;
  std::vector<std::int64_t> shape;
  bool trainable = true;  ///< false: a buffer (running statistics), averaged with the rule's weights, never scored
  std::size_t offset = 0, size = 0;  ///< filled in by ParameterLayout
};

/// Names and shapes, a line each: "fc.weight 10 784". Names hold no space.
std::string text_of(std::span<const Slot> slots);
/// The slots of such a text, offsets and sizes filled in as if all were trainable. Throws InputError for any other
/// text.
std::vector<Slot> slots_of(const std::string& text);

/// Where each named tensor lies in the flat float32 vector of a model: trainable slots first, then buffers, each group
/// in the order given. Immutable; one per model.
class ParameterLayout {
 public:
  explicit ParameterLayout(std::vector<Slot> slots);
  std::size_t dimension() const noexcept { return dimension_; }  ///< of trainable values and buffers
  std::size_t trainable() const noexcept { return trainable_; }  ///< values [0, trainable) are trained and scored
  std::span<const Slot> slots() const noexcept { return slots_; }
  const Slot& slot(std::string_view name) const;                       ///< contract: the name exists
  std::uint64_t fingerprint() const noexcept { return fingerprint_; }  ///< of names, shapes and kinds

 private:
  std::vector<Slot> slots_;
  std::size_t dimension_ = 0, trainable_ = 0;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace souk
