#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/data/byte_source.hpp"

namespace souk {

/// One value of a NumPy array as stored: little-endian unsigned ('u'), signed ('i'), real ('f') or boolean ('b').
struct NpyType {
  char kind = 'u';
  std::size_t bytes = 1;
  std::string name() const;  ///< as NumPy spells it, e.g. "uint8"
};

/// A NumPy array in a file or archive, its data not yet read.
struct NpyArray {
  std::string name;   ///< file, and member if in an archive: for messages
  ByteSource source;  ///< at the first value
  NpyType type;
  std::vector<std::uint64_t> shape;
  std::uint64_t values = 0;  ///< product of shape
  bool fortran = false;      ///< whether the first index runs fastest, in a matrix; otherwise the last does
  bool checked = false;      ///< whether crc32 is known
  std::uint32_t crc32 = 0;   ///< of header and data
  std::uint32_t running_crc32 = 0;
};

/// Which orders of values are read.
enum class ValueOrder : std::uint8_t { c, any };

/// Opens array NAME: member NAME.npy of an .npz archive, file NAME.npy of a directory, or `path` itself if it is an
/// .npy file and NAME is empty. Throws InputError for damaged files, Python objects (pickles), Fortran order
/// unless any is read, big-endian or other types, and a header that declares other sizes than the file has. Format:
/// numpy.lib.format, versions 1 to 3.
NpyArray open_npy(const std::string& path, const std::string& name, ValueOrder order = ValueOrder::c);

/// Names of the arrays at `path` (archive, or directory of .npy files), ascending.
std::vector<std::string> list_npy(const std::string& path);

enum class Finite : std::uint8_t { required, any };

/// The next values.size() values as reals. Throws InputError where one is not finite, if that is required.
void read_npy(NpyArray& array, std::span<float> values, Finite finite = Finite::required);

/// The next values.size() values of an array of integers.
void read_npy(NpyArray& array, std::span<std::int64_t> values);

/// The next values.size() values of an array of bytes.
void read_npy(NpyArray& array, std::span<std::uint8_t> values);

/// Passes over values.
void skip_npy(NpyArray& array, std::uint64_t values);

/// What comes before the values of an array in C order, format version 1.0: its type and shape as NumPy writes them,
/// such as "<f4" and "(2, 3)".
std::string npy_head(std::string_view type, std::string_view shape);

/// Writes a vector as float64, format version 1.0, atomically. Throws InputError naming the file and the reason.
void write_npy(const std::string& path, std::span<const double> values);

/// The same for a matrix as float32, [values / columns, columns].
void write_npy(const std::string& path, std::span<const float> values, std::size_t columns);

/// Throws InputError if data remain, or if the checksum of an archive's member is wrong. After all values were read.
void finish_npy(NpyArray& array);

}  // namespace souk
