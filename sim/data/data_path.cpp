#include "sim/data/data_path.hpp"

#include <filesystem>
#include <system_error>

#include "sim/base/contract.hpp"
#include "sim/data/dataset_reader.hpp"

namespace souk {

std::string data_path(const std::string& field, const std::string& value) {
  SOUK_REQUIRE(!value.empty(), "{}: is empty, must name a file or directory", field);
  const std::string path = expand_environment(value);
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  SOUK_REQUIRE(std::filesystem::path(path).is_relative(), "{} = \"{}\": {}: no such file or directory", field, value,
               path);
  throw_input_error(
      "{} = \"{}\": {}: no such file or directory; looked for {}, as a relative path follows the working directory",
      field, value, path, absolute.string());
}

}  // namespace souk
