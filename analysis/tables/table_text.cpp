#include "analysis/tables/table_text.hpp"

namespace souk {

std::string line_of(const std::vector<std::string>& row, std::string_view separator,
                    const std::function<std::string(std::size_t)>& field) {
  std::string line;
  for (std::size_t c = 0; c < row.size(); ++c) line += (c > 0 ? std::string(separator) : "") + field(c);
  return line;
}

std::string replaced(std::string text, std::string_view what, std::string_view instead) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + instead.size())) {
    text.replace(at, what.size(), instead);
  }
  return text;
}

std::string escaped(const std::string& text, const std::function<std::string_view(char)>& replacement) {
  std::string result;
  for (const char c : text) {
    const std::string_view instead = replacement(c);
    instead.empty() ? result += c : result += instead;
  }
  return result;
}

}  // namespace souk
