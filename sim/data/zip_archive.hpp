#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/data/byte_source.hpp"

namespace souk {

struct ZipMember {
  std::string name;
  FileExtent extent;        ///< where its packed bytes lie in the archive
  std::uint64_t bytes = 0;  ///< unpacked
  std::uint32_t crc32 = 0;  ///< of the unpacked bytes
};

/// Members of a zip archive, in the order of its central directory; zip64 is read. Throws InputError for a damaged
/// archive, encryption, and packing other than stored and deflate.
std::vector<ZipMember> list_zip_members(const std::string& path);

}  // namespace souk
