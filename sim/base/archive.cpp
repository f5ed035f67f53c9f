#include "sim/base/archive.hpp"

#include <algorithm>
#include <cstring>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

template <class T>
std::vector<T> copy_out(std::span<const std::byte> data) {
  std::vector<T> values(data.size() / sizeof(T));
  if (!data.empty()) std::memcpy(values.data(), data.data(), data.size());
  return values;
}

template <class T>
T copy_one(std::string_view name, std::span<const std::byte> data) {
  SOUK_REQUIRE(data.size() == sizeof(T), "saved state: field '{}' is not a single value", name);
  return copy_out<T>(data).front();
}

}  // namespace

void SaveArchive::put(std::string_view name, char type, std::size_t count, std::span<const std::byte> data) {
  const auto append = [&](std::span<const std::byte> more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); };
  const std::uint64_t header[2] = {name.size(), count};
  append(std::as_bytes(std::span(header)));
  append(std::as_bytes(std::span(name)));
  append(std::as_bytes(std::span(&type, 1)));
  append(data);
}

void SaveArchive::field(std::string_view name, std::vector<float>& values) {
  put(name, 'f', values.size(), std::as_bytes(std::span(values)));
}
void SaveArchive::field(std::string_view name, std::vector<double>& values) {
  put(name, 'd', values.size(), std::as_bytes(std::span(values)));
}
void SaveArchive::field(std::string_view name, std::vector<std::int64_t>& values) {
  put(name, 'i', values.size(), std::as_bytes(std::span(values)));
}
void SaveArchive::field(std::string_view name, std::int64_t& value) {
  put(name, 'i', 1, std::as_bytes(std::span(&value, 1)));
}
void SaveArchive::field(std::string_view name, double& value) {
  put(name, 'd', 1, std::as_bytes(std::span(&value, 1)));
}
void SaveArchive::field(std::string_view name, std::string& value) {
  put(name, 's', value.size(), std::as_bytes(std::span(value)));
}

std::span<const std::byte> LoadArchive::take(std::string_view name, char type, std::size_t element) {
  std::uint64_t header[2] = {};
  SOUK_REQUIRE(rest_.size() > sizeof header, "saved state: ends before field '{}'", name);
  std::memcpy(header, rest_.data(), sizeof header);
  rest_ = rest_.subspan(sizeof header);
  SOUK_REQUIRE(header[0] < rest_.size(), "saved state: damaged before field '{}'", name);
  const std::string found(reinterpret_cast<const char*>(rest_.data()), header[0]);
  const char found_type = static_cast<char>(rest_[header[0]]);
  rest_ = rest_.subspan(header[0] + 1);
  SOUK_REQUIRE(found == name && found_type == type, "saved state: expected field '{}' ({}), found '{}' ({})", name,
               type, found, found_type);
  SOUK_REQUIRE(header[1] <= rest_.size() / element, "saved state: ends inside field '{}'", name);
  const auto data = rest_.first(header[1] * element);
  rest_ = rest_.subspan(data.size());
  return data;
}

void LoadArchive::field(std::string_view name, std::vector<float>& values) {
  values = copy_out<float>(take(name, 'f', sizeof(float)));
}
void LoadArchive::field(std::string_view name, std::vector<double>& values) {
  values = copy_out<double>(take(name, 'd', sizeof(double)));
}
void LoadArchive::field(std::string_view name, std::vector<std::int64_t>& values) {
  values = copy_out<std::int64_t>(take(name, 'i', sizeof(std::int64_t)));
}
void LoadArchive::field(std::string_view name, std::int64_t& value) {
  value = copy_one<std::int64_t>(name, take(name, 'i', sizeof(std::int64_t)));
}
void LoadArchive::field(std::string_view name, double& value) {
  value = copy_one<double>(name, take(name, 'd', sizeof(double)));
}
void LoadArchive::field(std::string_view name, std::string& value) {
  const auto data = take(name, 's', 1);
  value.assign(reinterpret_cast<const char*>(data.data()), data.size());
}

void LoadArchive::expect_end() const { SOUK_REQUIRE(rest_.empty(), "saved state: {} bytes too many", rest_.size()); }

}  // namespace souk
