#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace souk {

/// Bytes as text, as RFC 4648 has it.
std::string base64(std::span<const std::byte> bytes);

}  // namespace souk
