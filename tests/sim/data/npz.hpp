#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/sim/data/support.hpp"

namespace souk::test {

/// Values as an array stores them.
template <class Value>
Bytes bytes_of(const std::vector<Value>& values) {
  Bytes bytes(values.size() * sizeof(Value));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// A .npy file.
inline Bytes npy(const std::string& descr, const std::string& shape, const Bytes& values,
                 const std::string& order = "False") {
  std::string header = "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  Bytes file{0x93,
             'N',
             'U',
             'M',
             'P',
             'Y',
             1,
             0,
             static_cast<std::uint8_t>(header.size()),
             static_cast<std::uint8_t>(header.size() >> 8)};
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), values.begin(), values.end());
  return file;
}

inline void append(Bytes& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// Of an archive.
struct Member {
  std::string name;
  Bytes content;
};

/// A zip archive; local headers as NumPy writes them, with sizes that only a zip64 field gives.
inline Bytes zip(const std::vector<Member>& members, bool deflate) {
  Bytes file, directory;
  for (const Member& member : members) {
    const Bytes packed = deflate ? pack(member.content, -15) : member.content;
    const auto crc =
        static_cast<std::uint32_t>(crc32(0, member.content.data(), static_cast<uInt>(member.content.size())));
    const auto offset = static_cast<std::uint32_t>(file.size()), name = static_cast<std::uint32_t>(member.name.size());
    append(file, 0x04034b50, 4), append(file, 45, 2), append(file, 0, 2), append(file, deflate ? 8 : 0, 2);
    append(file, 0, 4), append(file, crc, 4), append(file, 0xffffffff, 4), append(file, 0xffffffff, 4);
    append(file, name, 2), append(file, 20, 2);
    file.insert(file.end(), member.name.begin(), member.name.end());
    file.insert(file.end(), 20, 0);
    file.insert(file.end(), packed.begin(), packed.end());
    append(directory, 0x02014b50, 4), append(directory, 0, 4), append(directory, 0, 2);
    append(directory, deflate ? 8 : 0, 2), append(directory, 0, 4), append(directory, crc, 4);
    append(directory, static_cast<std::uint32_t>(packed.size()), 4);
    append(directory, static_cast<std::uint32_t>(member.content.size()), 4);
    append(directory, name, 2), append(directory, 0, 4), append(directory, 0, 4), append(directory, 0, 4);
    append(directory, offset, 4);
    directory.insert(directory.end(), member.name.begin(), member.name.end());
  }
  const auto start = static_cast<std::uint32_t>(file.size());
  file.insert(file.end(), directory.begin(), directory.end());
  append(file, 0x06054b50, 4), append(file, 0, 4), append(file, static_cast<std::uint32_t>(members.size()), 2);
  append(file, static_cast<std::uint32_t>(members.size()), 2);
  append(file, static_cast<std::uint32_t>(directory.size()), 4), append(file, start, 4), append(file, 0, 2);
  return file;
}

}  // namespace souk::test
