#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace souk {

/// A file of separated values (RFC 4180) in memory, all cells as text. Quoted cells may hold separators, line ends and
/// doubled quotes; unquoted ones lose the spaces around them. Lines end in LF, CR LF or CR; empty lines and lines that
/// begin with '|' (the comments of UCI's C4.5 files; unless '|' separates) are passed over.
class TextTable {
 public:
  /// Reads `path`, gzip-compressed or not; without `quotes`, a quote is a character like others. Throws InputError with
  /// file and line: rows of different width, an open quote, text after a closing quote, no row, no text
  /// (sim/data/text_file.hpp), more cells than memory holds.
  TextTable(const std::string& path, char separator, bool header, bool quotes = true);

  const std::string& path() const { return path_; }
  std::size_t rows() const { return lines_.size(); }
  std::size_t columns() const { return names_.size(); }
  /// From the header, or c0, c1, ….
  const std::vector<std::string>& names() const { return names_; }
  std::string_view cell(std::size_t row, std::size_t column) const { return cells_[row * columns() + column]; }
  /// Line of the file where a row begins, from 1.
  std::size_t line(std::size_t row) const { return lines_[row]; }

 private:
  void reserve_cells(char separator);
  void parse(char separator);
  std::size_t parse_row(std::size_t at, std::size_t& line, char separator);

  std::string path_;
  bool quotes_;
  std::vector<std::uint8_t> content_;  ///< cells are views of it; quoted ones are unquoted in place
  std::vector<std::string_view> cells_;
  std::vector<std::size_t> lines_;
  std::vector<std::string> names_;
};

/// Whether a cell holds nothing: empty, "?" or "nan" in any case.
bool is_blank(std::string_view cell);

/// Whether a cell says that its value is missing: blank, or "NA", "N/A", "#N/A", "#NA", "<NA>", "-nan", "null", "none"
/// or
/// "\N" in any case. Of labels and groups only blank ones are missing: "none" may be the name of one.
bool is_missing(std::string_view cell);

/// The finite number a whole cell spells; nothing if it is none.
std::optional<double> parse_number(std::string_view cell);

}  // namespace souk
