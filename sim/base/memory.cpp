#include "sim/base/memory.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
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

double read_number(const std::string& path) {
  double value = std::numeric_limits<double>::infinity();
  std::ifstream file(path);
  if (!(file >> value)) return std::numeric_limits<double>::infinity();  // absent, or "max"
  return value;
}

/// Page cache that the kernel gives back when it is asked: it counts as used by the group, but is there to be had.
double reclaimable(const std::string& path, bool unified) {
  std::ifstream file(path);
  const std::string prefix = unified ? "" : "total_";
  double sum = 0.0;
  double bytes = 0.0;
  for (std::string key; file >> key >> bytes;) {
    if (key == prefix + "inactive_file" || key == prefix + "active_file") sum += bytes;
  }
  return sum;
}

/// What the control groups of this process leave it: the limit of its group or of one above it, less what is in use.
double cgroup_available() {
  std::ifstream file("/proc/self/cgroup");
  double least = std::numeric_limits<double>::infinity();
  for (std::string line; std::getline(file, line);) {
    const bool unified = line.rfind("0::", 0) == 0;
    if (!unified && line.find(":memory:") == std::string::npos) continue;
    const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* limit = unified ? "/memory.max" : "/memory.limit_in_bytes";
    const char* usage = unified ? "/memory.current" : "/memory.usage_in_bytes";
    for (std::filesystem::path group = line.substr(line.rfind(':') + 1);; group = group.parent_path()) {
      const std::string folder = root + (group == "/" ? "" : group.string());
      const double most = read_number(folder + limit);
      const double used = read_number(folder + usage) - reclaimable(folder + "/memory.stat", unified);
      if (std::isfinite(most) && std::isfinite(used)) least = std::min(least, most - used);
      if (group == group.parent_path()) break;
    }
  }
  return least;
}

}  // namespace

double available_memory() { return std::min(meminfo_available(), cgroup_available()); }

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
