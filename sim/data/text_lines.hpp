#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// A text file in memory, by lines that end in LF, CR LF or CR.
class TextLines {
 public:
  /// Throws InputError where the file is no text (sim/data/text_file.hpp).
  explicit TextLines(const std::string& path);
  /// Calls `take` with every line that is not blank and its number, from 1.
  void for_each(const std::function<void(std::string_view text, std::size_t line)>& take) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::vector<std::uint8_t> content_;
};

}  // namespace souk
