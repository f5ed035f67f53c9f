#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace souk {

/// SHA-256 of bytes, as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(const std::string& text);

/// SHA-256 of float32 values, little-endian, in order: the identity of a model.
std::string sha256_hex(std::span<const float> values);

/// The same, of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::span<const std::byte> bytes);
  std::string hex();  ///< of all that was added; nothing can be added afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace souk
