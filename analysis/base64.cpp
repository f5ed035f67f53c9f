#include "analysis/base64.hpp"

#include <cstdint>
#include <string_view>

namespace souk {

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t b = 0; b < 3; ++b) {
      three = (three << 8U) | (i + b < bytes.size() ? static_cast<std::uint32_t>(bytes[i + b]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text.push_back(i + k > bytes.size() ? '=' : letters[(three >> (18 - 6 * k)) & 63U]);
    }
  }
  return text;
}

}  // namespace souk
