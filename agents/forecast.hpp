#pragma once

#include <string>

namespace souk {

/// What can be said of a run before it begins.
struct Forecast {
  std::string about, text;
};

}  // namespace souk
