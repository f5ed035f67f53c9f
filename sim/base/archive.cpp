#include "sim/base/archive.hpp"

#include <array>
#include <cstring>

#include "sim/base/contract.hpp"

namespace souk {

// A field: length of its name, number of values, name, type, values.

void ArchiveWriter::begin(std::string_view name, char type, std::size_t count) {
  const std::array<std::uint64_t, 2> header{name.size(), count};
  sink_.write(std::as_bytes(std::span(header)));
  sink_.write(std::as_bytes(std::span(name)));
  sink_.write(std::as_bytes(std::span(&type, 1)));
}

void ArchiveWriter::field(std::string_view name, std::vector<float>& values) {
  begin(name, 'f', values.size());
  sink_.write(std::as_bytes(std::span(values)));
}
void ArchiveWriter::field(std::string_view name, std::vector<double>& values) {
  begin(name, 'd', values.size());
  sink_.write(std::as_bytes(std::span(values)));
}
void ArchiveWriter::field(std::string_view name, std::vector<std::int64_t>& values) {
  begin(name, 'i', values.size());
  sink_.write(std::as_bytes(std::span(values)));
}
void ArchiveWriter::field(std::string_view name, std::int64_t& value) {
  begin(name, 'i', 1);
  sink_.write(std::as_bytes(std::span(&value, 1)));
}
void ArchiveWriter::field(std::string_view name, double& value) {
  begin(name, 'd', 1);
  sink_.write(std::as_bytes(std::span(&value, 1)));
}
void ArchiveWriter::field(std::string_view name, std::string& value) {
  begin(name, 's', value.size());
  sink_.write(std::as_bytes(std::span(value)));
}
void ArchiveWriter::begin_floats(std::string_view name, std::size_t count) { begin(name, 'f', count); }
void ArchiveWriter::piece(std::span<float> values) { sink_.write(std::as_bytes(values)); }

std::size_t ArchiveReader::begin(std::string_view name, char type, std::size_t element) {
  std::array<std::uint64_t, 2> header{};
  SOUK_REQUIRE(source_.left() > sizeof header, "saved state: ends before field '{}'", name);
  source_.read(std::as_writable_bytes(std::span(header)));
  SOUK_REQUIRE(header[0] < source_.left(), "saved state: damaged before field '{}'", name);
  std::string found(header[0], '\0');
  char found_type = '\0';
  source_.read(std::as_writable_bytes(std::span(found)));
  source_.read(std::as_writable_bytes(std::span(&found_type, 1)));
  SOUK_REQUIRE(found == name && found_type == type, "saved state: expected field '{}' ({}), found '{}' ({})", name,
               type, found, found_type);
  SOUK_REQUIRE(header[1] <= source_.left() / element, "saved state: ends inside field '{}'", name);
  return header[1];
}

template <class T>
void ArchiveReader::vector_field(std::string_view name, char type, std::vector<T>& values) {
  values.resize(begin(name, type, sizeof(T)));
  source_.read(std::as_writable_bytes(std::span(values)));
}

template <class T>
void ArchiveReader::single_field(std::string_view name, char type, T& value) {
  SOUK_REQUIRE(begin(name, type, sizeof(T)) == 1, "saved state: field '{}' is not a single value", name);
  source_.read(std::as_writable_bytes(std::span(&value, 1)));
}

void ArchiveReader::field(std::string_view name, std::vector<float>& values) { vector_field(name, 'f', values); }
void ArchiveReader::field(std::string_view name, std::vector<double>& values) { vector_field(name, 'd', values); }
void ArchiveReader::field(std::string_view name, std::vector<std::int64_t>& values) { vector_field(name, 'i', values); }
void ArchiveReader::field(std::string_view name, std::int64_t& value) { single_field(name, 'i', value); }
void ArchiveReader::field(std::string_view name, double& value) { single_field(name, 'd', value); }
void ArchiveReader::field(std::string_view name, std::string& value) {
  value.resize(begin(name, 's', 1));
  source_.read(std::as_writable_bytes(std::span(value)));
}
void ArchiveReader::begin_floats(std::string_view name, std::size_t count) {
  const std::size_t found = begin(name, 'f', sizeof(float));
  SOUK_REQUIRE(found == count, "saved state: '{}' has {} values, not {}", name, found, count);
}
void ArchiveReader::piece(std::span<float> values) { source_.read(std::as_writable_bytes(values)); }

void ArchiveReader::expect_end() const {
  SOUK_REQUIRE(source_.left() == 0, "saved state: {} bytes too many", source_.left());
}

void MemorySource::read(std::span<std::byte> bytes) {
  SOUK_EXPECT(bytes.size() <= rest_.size());
  if (!bytes.empty()) std::memcpy(bytes.data(), rest_.data(), bytes.size());
  rest_ = rest_.subspan(bytes.size());
}

}  // namespace souk
