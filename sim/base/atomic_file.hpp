#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace souk {

/// Writes a file so that a reader, or a machine that lost its power, sees the old content or the new, never a mixture:
/// temporary file beside it, fsync, rename, fsync of the directory. Throws std::runtime_error with the reason.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, const std::string& text);

/// The whole file. Throws InputError naming the file and the reason.
std::vector<std::byte> read_file(const std::filesystem::path& path);
std::string read_text_file(const std::filesystem::path& path);

}  // namespace souk
