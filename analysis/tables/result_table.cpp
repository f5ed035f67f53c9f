#include "analysis/tables/result_table.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "analysis/results/export.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

using Row = std::vector<std::string>;

/// Characters, not bytes.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string line_of(const Row& row, std::string_view separator, const std::function<std::string(std::size_t)>& field) {
  std::string line;
  for (std::size_t c = 0; c < row.size(); ++c) line += (c > 0 ? std::string(separator) : "") + field(c);
  return line;
}

std::string text_of(const ResultTable& table) {
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

/// `text` with each character of `special` replaced.
std::string escaped(const std::string& text, const std::function<std::string_view(char)>& replacement) {
  std::string result;
  for (const char c : text) {
    const std::string_view instead = replacement(c);
    instead.empty() ? result += c : result += instead;
  }
  return result;
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

std::string replaced(std::string text, std::string_view what, std::string_view instead) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + instead.size())) {
    text.replace(at, what.size(), instead);
  }
  return text;
}

std::string latex_text(const std::string& text) {
  const std::string plain = escaped(text, [](char c) -> std::string_view {
    switch (c) {
      case '\\':
        return "\\textbackslash{}";
      case '~':
        return "\\textasciitilde{}";
      case '^':
        return "\\textasciicircum{}";
      case '[':
        return "{[}";  // which a line break at the end of the line before would take as its argument
      case '*':
        return "{*}";  // and that as a part of its name
      case '<':        // these four are other characters in the default encoding
        return "\\textless{}";
      case '>':
        return "\\textgreater{}";
      case '|':
        return "\\textbar{}";
      case '"':
        return "\\texttt{\\char34}";
      case '\n':
        return " ";
      case '&':
        return "\\&";
      case '%':
        return "\\%";
      case '$':
        return "\\$";
      case '#':
        return "\\#";
      case '_':
        return "\\_";
      case '{':
        return "\\{";
      case '}':
        return "\\}";
      default:
        return "";
    }
  });
  return replaced(replaced(replaced(plain, "±", "$\\pm$"), "–", "--"), "—", "---");
}

/// A label with its numbers to four digits where they have more than six: steps of a logarithmic axis have twelve.
std::string short_label(const std::string& label) {
  constexpr std::string_view between = " / ";
  std::string text;
  for (std::size_t at = 0; at <= label.size();) {
    const std::size_t end = std::min(label.find(between, at), label.size());
    const std::string part = label.substr(at, end - at);
    double number = 0.0;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), number);
    const bool is_long = error == std::errc() && stop == part.data() + part.size() &&
                         std::ranges::count_if(part, [](char c) { return c >= '0' && c <= '9'; }) > 7;
    text += (at > 0 ? std::string(between) : "") + (is_long ? fmt::format("{:.4g}", number) : part);
    at = end + between.size();
    if (end == label.size()) break;
  }
  return text;
}

/// The table as a paper has it: columns about the same runs once, under what their labels have in common, and short
/// labels, where they still differ.
ResultTable for_paper(const ResultTable& table) {
  ResultTable paper{.title = table.title, .header = {}, .rows = {}, .notes = table.notes};
  std::vector<std::size_t> kept;
  for (std::size_t c = 0; c < table.header.size(); ++c) {
    if (!table.repeated.contains(c)) {
      kept.push_back(c);
      paper.header.push_back(table.header[c]);
    } else {
      paper.header.back() = paper.header.back().substr(0, paper.header.back().find(" / "));
    }
  }
  const Row full = paper.header;
  for (std::string& label : paper.header) label = short_label(label);
  if (std::set<std::string>(paper.header.begin(), paper.header.end()).size() < paper.header.size()) paper.header = full;
  for (const Row& row : table.rows) {
    Row& own = paper.rows.emplace_back();
    for (const std::size_t c : kept) own.push_back(row[c]);
  }
  return paper;
}

std::string latex_of(const ResultTable& whole) {
  const ResultTable table = for_paper(whole);
  const auto line = [&](const Row& row) {
    return "  " + line_of(row, " & ", [&](std::size_t c) { return latex_text(row[c]); }) + " \\\\\n";
  };
  const auto comment = [](const std::string& words) { return "% " + replaced(words, "\n", " ") + "\n"; };
  std::string text = table.title.empty() ? "" : comment(table.title);
  text += "\\begin{tabular}{l" + std::string(table.header.size() - 1, 'r') + "}\n  \\toprule\n";
  text += line(table.header) + "  \\midrule\n";
  for (const Row& row : table.rows) text += line(row);
  text += "  \\bottomrule\n\\end{tabular}\n";
  for (const std::string& note : table.notes) text += comment(note);
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
        text += text_of(table);
    }
  }
  return text;
}

}  // namespace souk
