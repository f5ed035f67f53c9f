#include "sim/base/hash.hpp"

#include <array>
#include <bit>

#include <openssl/evp.h>

#include "sim/base/contract.hpp"

namespace souk {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { SOUK_EXPECT(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  SOUK_EXPECT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  SOUK_EXPECT(EVP_DigestFinal_ex(state_->context, digest.data(), &size) == 1);
  std::string hex;
  for (const unsigned char value : std::span(digest).first(size)) hex += fmt::format("{:02x}", value);
  return hex;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

std::string sha256_hex(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); }

std::string sha256_hex(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little, "the hash is defined on little-endian values");
  return sha256_hex(std::as_bytes(values));
}

}  // namespace souk
