#include "sim/base/memory.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>

#include <fmt/format.h>

namespace souk {
namespace {

double meminfo_available() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  double kilobytes = 0.0;
  std::string unit;
  while (file >> key >> kilobytes >> unit) {
    if (key == "MemAvailable:") return kilobytes * 1024.0;
  }
  return std::numeric_limits<double>::infinity();
}

double read_number(const char* path) {
  double value = std::numeric_limits<double>::infinity();
  std::ifstream file(path);
  if (!(file >> value)) return std::numeric_limits<double>::infinity();  // absent, or "max"
  return value;
}

}  // namespace

double available_memory() {
  const double limit =
      std::min(read_number("/sys/fs/cgroup/memory.max"), read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  return std::min(meminfo_available(), limit);
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> units{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000.0 && unit + 1 < units.size()) {
    bytes /= 1000.0;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", bytes, bytes < 10.0 && unit > 0 ? 1 : 0, units[unit]);
}

}  // namespace souk
