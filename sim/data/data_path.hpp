#pragma once

#include <string>

namespace souk {

/// The path that a field of the scenario holds, every ${NAME} replaced by the environment variable NAME. Throws
/// InputError, naming the field, where it is empty or nothing is there: with the absolute path that was tried, since
/// relative ones follow the working directory.
std::string data_path(const std::string& field, const std::string& value);

}  // namespace souk
