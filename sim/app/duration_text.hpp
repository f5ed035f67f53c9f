#pragma once

#include <string>

namespace souk {

/// "42 s", "3:05 min", "1:30 h".
std::string duration_text(double seconds);

}  // namespace souk
