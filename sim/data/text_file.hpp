#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// The whole content of a text file, gzip-compressed or not, without a UTF-8 byte-order mark. Throws InputError for
/// more than `limit` bytes, and where the file is no text of bytes: says what it is (UTF-16, a zip archive or workbook,
/// another packed or binary format).
std::vector<std::uint8_t> read_plain_text(const std::string& path, std::uint64_t limit);

/// What a file is that begins so and is no text that could be read, as "is a zip archive, …"; empty: nothing known.
std::string what_begins(std::string_view start);

}  // namespace souk
