#pragma once

#include <string>
#include <vector>

#include "analysis/database.hpp"

namespace souk {

/// What stands below the title of a report: when its runs were computed, by which versions of Souk, and on which data;
/// of each what the results know.
std::vector<std::string> about(const Database& view);

}  // namespace souk
