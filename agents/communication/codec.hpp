#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk::scenario {
class Communication;
}

namespace souk {

/// What an encoding draws from: the same for the same names, wherever it is done.
struct EncodingDraws {
  std::uint64_t seed = 0;  ///< of the run
  StreamKey own;           ///< of this client's update in this round
  StreamKey start;         ///< of what a client's codec begins with
};

/// An update to encode.
struct Encoding {
  std::span<const float> values;  ///< [trainable], finite
  const ParameterLayout& layout;
  const EncodingDraws& draws;
  bool feedback = false;         ///< what is left out comes back with the client's next update
  std::span<float> memory = {};  ///< [Codec::memory] what the codec keeps for this client; 0 at first
};

/// A way to write an update down in fewer bytes. Stateless; what it keeps for a client is handed in. One file each in
/// agents/communication/codecs; chosen in Communication.codec.
class Codec {
 public:
  virtual ~Codec() = default;
  /// Whether its source adds what was left out to the client's next update (error feedback).
  virtual bool wants_feedback() const { return false; }
  /// Whether what is decoded has the update as its mean over the random numbers, where there is no feedback.
  virtual bool is_unbiased() const { return false; }
  /// Bytes of a message, the same for every update of the layout.
  virtual std::size_t bytes(const ParameterLayout& layout) const = 0;
  /// Values kept for every client between rounds.
  virtual std::size_t memory(const ParameterLayout&) const { return 0; }
  /// Writes all of `message`, [bytes], little-endian.
  virtual void encode(const Encoding& update, std::span<std::byte> message) const = 0;
  /// Fills `values`, [trainable], from any message. Throws InputError for one that no encoder writes.
  virtual void decode(std::span<const std::byte> message, const ParameterLayout& layout,
                      std::span<float> values) const = 0;
};

/// The codec chosen in the scenario; null: none is.
std::unique_ptr<Codec> make_codec(const scenario::Communication& config);

/// Throws InputError for a message of another length.
void require_length(std::span<const std::byte> message, std::size_t bytes);

/// k of d values by their share: rounded to nearest, at least one.
std::size_t values_kept(double share, std::size_t dimension);

static_assert(std::endian::native == std::endian::little, "messages are little-endian, and are copied as they are");

/// Writes a message from front to back.
class MessageWriter {
 public:
  explicit MessageWriter(std::span<std::byte> message) : rest_(message) {}
  template <class Value>
  void put(const Value& value) {
    put_all(std::span(&value, 1));
  }
  template <class Value>
  void put_all(std::span<const Value> values) {
    static_assert(std::is_trivially_copyable_v<Value>);
    const std::span<std::byte> place = room(values.size_bytes());
    if (!values.empty()) std::memcpy(place.data(), values.data(), place.size());
  }
  /// The next bytes, to be filled in.
  std::span<std::byte> room(std::size_t bytes) {
    SOUK_EXPECT(bytes <= rest_.size());
    const std::span<std::byte> place = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return place;
  }

 private:
  std::span<std::byte> rest_;
};

/// Reads a message of a known length from front to back.
class MessageReader {
 public:
  explicit MessageReader(std::span<const std::byte> message) : rest_(message) {}
  template <class Value>
  Value take() {
    Value value;
    take_all(std::span(&value, 1));
    return value;
  }
  template <class Value>
  void take_all(std::span<Value> values) {
    static_assert(std::is_trivially_copyable_v<Value>);
    const std::span<const std::byte> place = bytes(values.size_bytes());
    if (!values.empty()) std::memcpy(values.data(), place.data(), place.size());
  }
  std::span<const std::byte> bytes(std::size_t count) {
    SOUK_EXPECT(count <= rest_.size());
    const std::span<const std::byte> place = rest_.first(count);
    rest_ = rest_.subspan(count);
    return place;
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace souk
