#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace souk {

/// The places of a table for other programs, one per row: whose numbers these are, each number in a column of its own
/// with all its digits. A field is empty where there is none.
struct TidyTable {
  std::vector<std::string> header = {};
  std::vector<std::vector<std::string>> rows = {};  ///< each as long as the header
};

/// A finished table: texts in UTF-8, the first column labels its rows.
struct ResultTable {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< each as long as the header
  std::vector<std::string> notes;              ///< sentences below it
  /// Columns that are about the very runs of the column before them, by their place in the header; LaTeX has them once.
  std::set<std::size_t> repeated = {};
  /// What the columns stand for where that is several quantities: a column's values in the order of the quantities. May
  /// be empty, as a whole or of a column.
  std::vector<std::vector<std::string>> column_values = {};
  TidyTable tidy = {};
};

enum class TableFormat : std::uint8_t { text, csv, latex, markdown };

/// The tables one after another, each with its title and notes. CSV (RFC 4180, but with line feeds) has the tidy rows
/// of all of them, which are of one kind, under one header. LaTeX needs the package booktabs.
std::string render(std::span<const ResultTable> tables, TableFormat format);

}  // namespace souk
