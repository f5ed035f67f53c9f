#include "sim/data/text_lines.hpp"

#include <algorithm>

#include "sim/base/heartbeat.hpp"
#include "sim/data/text_file.hpp"

namespace souk {
namespace {

constexpr std::uint64_t text_bytes_max = std::uint64_t{1} << 33;

}  // namespace

TextLines::TextLines(const std::string& path) : path_(path), content_(read_plain_text(path, text_bytes_max)) {}

void TextLines::for_each(const std::function<void(std::string_view, std::size_t)>& take) const {
  std::string_view left(reinterpret_cast<const char*>(content_.data()), content_.size());
  for (std::size_t line = 1; !left.empty(); ++line) {
    heartbeat::beat();
    const std::size_t end = std::min(left.find_first_of("\r\n"), left.size());
    const std::string_view text = left.substr(0, end);
    if (text.find_first_not_of(" \t") != std::string_view::npos) take(text, line);
    const std::size_t mark = left.substr(end).starts_with("\r\n") ? 2 : 1;
    left.remove_prefix(std::min(end + mark, left.size()));
  }
}

}  // namespace souk
