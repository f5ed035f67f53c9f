#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace souk {

/// A whole number as people write it: digits alone, so no sign, no blank, no 0 in front (which others read as octal),
/// and no more than 64 bits hold. Nothing if `text` is none.
std::optional<std::uint64_t> parse_whole(std::string_view text);

/// Whether `text` is a decimal number: a sign, digits with or without a point, an exponent; digits before the point do
/// not start with a 0 that others read as octal. "inf" and "nan" are none.
bool is_decimal(std::string_view text);

}  // namespace souk
