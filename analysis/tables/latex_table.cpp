#include "analysis/tables/latex_table.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "analysis/tables/table_text.hpp"

namespace souk {
namespace {

using Row = std::vector<std::string>;

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

/// Labels with short numbers, where no two become one.
Row short_labels(const Row& labels) {
  Row shorter;
  for (const std::string& label : labels) shorter.push_back(short_label(label));
  const bool distinct = std::set<std::string>(shorter.begin(), shorter.end()).size() ==
                        std::set<std::string>(labels.begin(), labels.end()).size();
  return distinct ? shorter : labels;
}

/// A column as it is printed: where it comes from, and its headings, one a level.
struct Column {
  std::size_t from;
  Row heads;
};

/// The headings of a column of the table: its values, or its label where it has none.
Row heads_of(const ResultTable& table, std::size_t column) {
  const bool has_values = column < table.column_values.size() && !table.column_values[column].empty();
  return has_values ? table.column_values[column] : Row{table.header[column]};
}

/// Without the columns that repeat the one before them, which keeps the headings that all of them have.
std::vector<Column> printed_columns(const ResultTable& table) {
  std::vector<Column> columns;
  std::size_t levels = 1;
  for (std::size_t c = 0; c < table.header.size(); ++c) {
    const Row heads = heads_of(table, c);
    levels = std::max(levels, heads.size());
    if (!table.repeated.contains(c)) {
      columns.push_back({c, heads});
      continue;
    }
    Row& kept = columns.back().heads;
    const auto [differs, unused] = std::ranges::mismatch(kept, heads);
    kept.erase(differs, kept.end());
  }
  for (Column& column : columns) column.heads.resize(levels);
  return columns;
}

void shorten_heads(std::vector<Column>& columns) {
  for (std::size_t level = 0; level < columns.front().heads.size(); ++level) {
    Row labels;
    for (std::size_t c = 1; c < columns.size(); ++c) labels.push_back(columns[c].heads[level]);
    labels = short_labels(labels);
    for (std::size_t c = 1; c < columns.size(); ++c) columns[c].heads[level] = labels[c - 1];
  }
}

/// Behind the last column that shares the headings of column `first` down to the level.
std::size_t end_of_span(const std::vector<Column>& columns, std::size_t first, std::size_t level) {
  const auto same = [&](const Column& column) {
    return std::ranges::equal(std::span(column.heads).first(level + 1),
                              std::span(columns[first].heads).first(level + 1));
  };
  std::size_t end = first + 1;
  while (end < columns.size() && same(columns[end])) ++end;
  return end;
}

/// A level of headings above others: one for all columns that share it, with a rule below.
std::string spanning_line(const std::vector<Column>& columns, std::size_t level) {
  std::string line = " ";
  std::string rules;
  for (std::size_t first = 1, end = 1; first < columns.size(); first = end) {
    end = end_of_span(columns, first, level);
    const std::string head = latex_text(columns[first].heads[level]);
    if (end == first + 1) {
      line += " & " + head;
    } else {
      line += fmt::format(" & \\multicolumn{{{}}}{{c}}{{{}}}", end - first, head);
      rules += fmt::format(" \\cmidrule(lr){{{}-{}}}", first + 1, end);
    }
  }
  return line + " \\\\\n" + (rules.empty() ? "" : " " + rules + "\n");
}

std::string headings(const std::vector<Column>& columns, const std::string& corner) {
  const std::size_t last = columns.front().heads.size() - 1;
  std::string text;
  for (std::size_t level = 0; level < last; ++level) text += spanning_line(columns, level);
  text += "  " + latex_text(corner);
  for (std::size_t c = 1; c < columns.size(); ++c) text += " & " + latex_text(columns[c].heads[last]);
  return text + " \\\\\n";
}

}  // namespace

std::string latex_of(const ResultTable& table) {
  std::vector<Column> columns = printed_columns(table);
  shorten_heads(columns);
  const auto comment = [](const std::string& words) { return "% " + replaced(words, "\n", " ") + "\n"; };
  std::string text = table.title.empty() ? "" : comment(table.title);
  text += "\\begin{tabular}{l" + std::string(columns.size() - 1, 'r') + "}\n  \\toprule\n";
  text += headings(columns, table.header.front()) + "  \\midrule\n";
  Row labels;
  for (const Row& row : table.rows) labels.push_back(row.front());
  labels = short_labels(labels);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    Row row{labels[r]};
    for (std::size_t c = 1; c < columns.size(); ++c) row.push_back(table.rows[r][columns[c].from]);
    text += "  " + line_of(row, " & ", [&](std::size_t c) { return latex_text(row[c]); }) + " \\\\\n";
  }
  text += "  \\bottomrule\n\\end{tabular}\n";
  for (const std::string& note : table.notes) text += comment(note);
  return text;
}

}  // namespace souk
