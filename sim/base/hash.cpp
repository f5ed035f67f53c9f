#include "sim/base/hash.hpp"

#include <array>
#include <bit>

#include <openssl/sha.h>

#include "sim/base/contract.hpp"

namespace souk {

std::string sha256_hex(std::span<const std::byte> bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string hex;
  for (const unsigned char value : digest) hex += fmt::format("{:02x}", value);
  return hex;
}

std::string sha256_hex(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); }

std::string sha256_hex(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little, "the hash is defined on little-endian values");
  return sha256_hex(std::as_bytes(values));
}

}  // namespace souk
