#include "sim/data/text_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/text_file.hpp"
#include "sim/data/words.hpp"

namespace souk {
namespace {

constexpr std::uint64_t table_bytes_max = std::uint64_t{1} << 33;

/// Whether a cell is `lower` in any case.
bool equals(std::string_view cell, std::string_view lower) {
  return std::ranges::equal(cell, lower,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

TextTable::TextTable(const std::string& path, char separator, bool header, bool quotes)
    : path_(path), quotes_(quotes), content_(read_plain_text(path, table_bytes_max)) {
  reserve_cells(separator);
  parse(separator);
  SOUK_REQUIRE(!lines_.empty(), "{}: has no row", path_);
  const std::size_t columns = cells_.size() / lines_.size();
  for (std::size_t c = 0; c < columns; ++c) {
    names_.push_back(header ? std::string(cells_[c]) : fmt::format("c{}", c));
  }
  std::vector<std::string> sorted = names_;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  SOUK_REQUIRE(twice == sorted.end(), "{}: line {}: two columns are named \"{}\" (is there a header line?)", path_,
               lines_[0], *twice);
  if (!header) return;
  cells_.erase(cells_.begin(), cells_.begin() + static_cast<std::ptrdiff_t>(columns));
  lines_.erase(lines_.begin());
  SOUK_REQUIRE(!lines_.empty(), "{}: has no row beside its header", path_);
}

// A table of short cells takes many times its file.
void TextTable::reserve_cells(char separator) {
  const auto ends = std::ranges::count_if(content_, [separator](std::uint8_t c) {
    return c == static_cast<std::uint8_t>(separator) || c == '\n' || c == '\r';
  });
  const auto most = static_cast<std::size_t>(ends) + 1;
  const double needed = static_cast<double>(most) * static_cast<double>(sizeof(std::string_view));
  SOUK_REQUIRE(needed <= available_memory(), "{}: its {} cells need {}, this node has {} to give", path_, most,
               bytes_text(needed), bytes_text(available_memory()));
  cells_.reserve(most);
}

void TextTable::parse(char separator) {
  std::size_t at = 0, line = 1, columns = 0;
  const auto is_line_end = [this](std::size_t i) { return content_[i] == '\n' || content_[i] == '\r'; };
  while (at < content_.size()) {
    heartbeat::beat();
    const bool comment = content_[at] == '|' && separator != '|';
    if (comment) {
      while (at < content_.size() && !is_line_end(at)) ++at;
    }
    if (at < content_.size() && is_line_end(at)) {
      at += content_[at] == '\r' && at + 1 < content_.size() && content_[at + 1] == '\n' ? 2 : 1;
      ++line;
      continue;
    }
    if (at == content_.size()) break;
    const std::size_t before = cells_.size();
    lines_.push_back(line);
    at = parse_row(at, line, separator);
    const std::size_t width = cells_.size() - before;
    if (columns == 0) columns = width;
    SOUK_REQUIRE(width == columns, "{}: line {}: {} cells, the first row has {}", path_, lines_.back(), width, columns);
  }
}

// Appends the cells of the row that begins at `at`; returns where its line ends. `line` advances over quoted line ends.
std::size_t TextTable::parse_row(std::size_t at, std::size_t& line, char separator) {
  const std::size_t size = content_.size();
  char* const text = reinterpret_cast<char*>(content_.data());
  const auto ends_cell = [&](std::size_t i) {
    return i == size || text[i] == separator || text[i] == '\n' || text[i] == '\r';
  };
  for (;;) {
    std::size_t begin = at;
    while (begin < size && text[begin] == ' ' && separator != ' ') ++begin;
    if (quotes_ && begin < size && text[begin] == '"') {
      std::size_t write = begin;
      for (at = begin + 1;; ++at) {
        SOUK_REQUIRE(at < size, "{}: line {}: a quote is never closed", path_, lines_.back());
        if (text[at] == '"' && (at + 1 == size || text[at + 1] != '"')) break;
        if (text[at] == '"') ++at;  // doubled: one
        if (text[at] == '\n' || (text[at] == '\r' && (at + 1 == size || text[at + 1] != '\n'))) ++line;
        text[write++] = text[at];
      }
      cells_.emplace_back(text + begin, write - begin);
      for (++at; at < size && text[at] == ' ' && separator != ' ';) ++at;
      SOUK_REQUIRE(ends_cell(at), "{}: line {}: text after a closing quote", path_, line);
    } else {
      at = begin;
      while (!ends_cell(at)) ++at;
      cells_.push_back(trimmed({text + begin, at - begin}));
    }
    if (at == size || text[at] != separator) return at;
    ++at;
  }
}

bool is_blank(std::string_view cell) { return cell.empty() || cell == "?" || equals(cell, "nan"); }

bool is_missing(std::string_view cell) {
  constexpr std::array<std::string_view, 9> spellings{"na",   "n/a",  "#n/a", "#na", "<na>",
                                                      "-nan", "null", "none", "\\n"};
  return is_blank(cell) || std::ranges::any_of(spellings, [cell](auto spelling) { return equals(cell, spelling); });
}

std::optional<double> parse_number(std::string_view cell) {
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
  double value = 0;
  const auto parsed = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == cell.data() + cell.size() && std::isfinite(value);
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace souk
