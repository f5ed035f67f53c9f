#pragma once

#include <algorithm>
#include <string>

namespace souk {

/// Whether a name can be part of a metric's: lower-case letters, digits and underscores, up to 64 of them.
inline bool is_metric_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace souk
