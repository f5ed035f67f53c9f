#include "analysis/tables/result_table.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/results/export.hpp"
#include "analysis/tables/latex_table.hpp"
#include "analysis/tables/table_text.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

using Row = std::vector<std::string>;

/// Characters, not bytes.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string text_of_table(const ResultTable& table) {
  std::vector<std::size_t> widths(table.header.size(), 0);
  const auto widen = [&](const Row& row) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  };
  widen(table.header);
  for (const Row& row : table.rows) widen(row);
  const auto line = [&](const Row& row) {
    std::string text = line_of(row, "  ", [&](std::size_t c) {
      const std::string padding(widths[c] - width_of(row[c]), ' ');
      return c == 0 ? row[c] + padding : padding + row[c];
    });
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text = table.title.empty() ? "" : table.title + "\n\n";
  text += line(table.header);
  text += line_of(table.header, "  ", [&](std::size_t c) { return std::string(widths[c], '-'); }) + "\n";
  for (const Row& row : table.rows) text += line(row);
  if (!table.notes.empty()) text += "\n";
  for (const std::string& note : table.notes) text += note + "\n";
  return text;
}

std::string markdown_text(const std::string& text) {
  return escaped(text, [](char c) -> std::string_view {
    switch (c) {
      case '|':
        return "\\|";
      case '<':
        return "&lt;";
      case '*':
        return "\\*";
      case '_':
        return "\\_";
      case '\\':
        return "\\\\";
      case '\n':
        return " ";
      default:
        return "";
    }
  });
}

std::string markdown_of(const ResultTable& table) {
  std::string text = table.title.empty() ? "" : "**" + markdown_text(table.title) + "**\n\n";
  const auto line = [&](const Row& row) {
    return "| " + line_of(row, " | ", [&](std::size_t c) { return markdown_text(row[c]); }) + " |\n";
  };
  text += line(table.header);
  text += "|" + line_of(table.header, "|", [](std::size_t c) { return c == 0 ? "---" : "---:"; }) + "|\n";
  for (const Row& row : table.rows) text += line(row);
  if (!table.notes.empty()) text += "\n";
  for (const std::string& note : table.notes) text += markdown_text(note) + "\n";
  return text;
}

std::string csv_of(std::span<const ResultTable> tables) {
  const auto line = [](const Row& row) {
    return line_of(row, ",", [&](std::size_t c) { return csv_field(row[c]); }) + "\n";
  };
  std::string text = line(tables.front().tidy.header);
  for (const ResultTable& table : tables) {
    SOUK_EXPECT(table.tidy.header == tables.front().tidy.header);
    for (const Row& row : table.tidy.rows) {
      SOUK_EXPECT(row.size() == table.tidy.header.size());
      text += line(row);
    }
  }
  return text;
}

}  // namespace

std::string render(std::span<const ResultTable> tables, TableFormat format) {
  SOUK_EXPECT(!tables.empty());
  for (const ResultTable& table : tables) {
    SOUK_EXPECT(!table.header.empty());
    for (const Row& row : table.rows) SOUK_EXPECT(row.size() == table.header.size());
  }
  if (format == TableFormat::csv) return csv_of(tables);
  std::string text;
  for (const ResultTable& table : tables) {
    if (!text.empty()) text += "\n";
    switch (format) {
      case TableFormat::latex:
        text += latex_of(table);
        break;
      case TableFormat::markdown:
        text += markdown_of(table);
        break;
      default:
        text += text_of_table(table);
    }
  }
  return text;
}

}  // namespace souk
