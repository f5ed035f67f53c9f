#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace souk {

/// A finished table: texts in UTF-8, the first column labels its rows.
struct ResultTable {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< each as long as the header
  std::vector<std::string> notes;              ///< sentences below it
};

enum class TableFormat : std::uint8_t { text, csv, latex, markdown };

/// The tables one after another, each with its title and notes. CSV (RFC 4180, but with line feeds) has header and rows
/// alone; several tables become one, with the titles in a first column "table". LaTeX needs the package booktabs.
std::string render(std::span<const ResultTable> tables, TableFormat format);

}  // namespace souk
