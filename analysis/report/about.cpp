#include "analysis/report/about.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace souk {
namespace {

/// Texts of the first column, the first few of them: "a, b, c and 4 more".
std::string listed(const Database& view, const std::string& sql) {
  constexpr std::size_t most = 3;
  std::vector<std::string> texts;
  Statement row(view, sql);
  while (row.step()) texts.push_back(row.text(0));
  const std::size_t more = texts.size() > most ? texts.size() - most : 0;
  texts.resize(texts.size() - more);
  return fmt::format("{}{}", fmt::join(texts, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

std::string dates(const Database& view) {
  Statement row(view,
                "SELECT min(substr(value, 1, 10)), max(substr(value, 1, 10)) FROM fact "
                "WHERE name IN ('started', 'finished') AND value GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'");
  if (!row.step() || row.is_null(0)) return "";
  const std::string first = row.text(0), last = row.text(1);
  return first == last ? "computed on " + first : fmt::format("computed from {} to {}", first, last);
}

}  // namespace

std::vector<std::string> about(const Database& view) {
  std::vector<std::string> parts{dates(view)};
  const std::string versions =
      listed(view,
             "SELECT DISTINCT v.value || coalesce(' (' || nullif(c.value, '') || ')', '') AS version FROM fact v "
             "LEFT JOIN fact c ON c.run = v.run AND c.name = 'commit' WHERE v.name = 'version' AND v.value != '' ORDER "
             "BY version");
  if (!versions.empty()) parts.push_back("Souk " + versions);
  const std::string data =
      listed(view, "SELECT DISTINCT dataset FROM run WHERE coalesce(dataset, '') != '' ORDER BY dataset");
  if (!data.empty()) parts.push_back("data: " + data);
  std::erase(parts, "");
  return parts;
}

}  // namespace souk
