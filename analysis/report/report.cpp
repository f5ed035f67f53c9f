#include "analysis/report/report.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/report/about.hpp"
#include "analysis/report/overview.hpp"
#include "analysis/report/run_pages.hpp"
#include "analysis/report/section.hpp"
#include "analysis/report/theme.hpp"
#include "analysis/report/vega.hpp"
#include "analysis/report/verdict.hpp"

namespace souk {
namespace {

/// Names of the sweeps, and of the runs outside them; counted where they are many.
std::string title_of_study(const Study& study) {
  std::vector<std::string> names;
  for (const StudyRun& run : study.runs) {
    const std::string& name = run.sweep.empty() ? run.name : run.sweep;
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  if (names.size() > 3) return fmt::format("{} and {} more", names.front(), names.size() - 1);
  return names.empty() ? "Souk" : fmt::format("{}", fmt::join(names, ", "));
}

std::vector<Section> make_sections(const ReportInput& input) {
  std::vector<Section> sections;
  for (const SectionKind& kind : section_kinds()) {
    SectionContent content = kind.content(input);
    if (!content.has_data()) continue;
    for (Figure& figure : content.figures) figure.spec = vega::begun_at_data(figure, input.study);
    sections.push_back({.id = std::string(kind.id),
                        .title = std::string(kind.title),
                        .intro = "",
                        .figures = std::move(content.figures),
                        .tables = std::move(content.tables)});
  }
  return sections;
}

std::string figure_json(const Figure& figure) {
  return fmt::format(R"({{"id":{},"title":{},"note":{},"spec":{},"data":{}}})", json_text(figure.id),
                     json_text(figure.title), json_text(figure.note), figure.spec, figure.data.to_columns_json());
}

std::string table_json(const ReportTable& table) {
  std::vector<std::string> columns;
  for (const ReportTable::Column& column : table.columns) {
    columns.push_back(fmt::format(R"({{"title":{},"format":{},"note":{}}})", json_text(column.title),
                                  json_text(column.format), json_text(column.note)));
  }
  return fmt::format(R"({{"id":{},"title":{},"note":{},"columns":[{}],"run_column":{},"data":{}}})",
                     json_text(table.id), json_text(table.title), json_text(table.note), fmt::join(columns, ","),
                     json_text(table.run_column), table.data.to_columns_json());
}

std::string section_json(const Section& section) {
  std::vector<std::string> figures, tables;
  for (const Figure& figure : section.figures) figures.push_back(figure_json(figure));
  for (const ReportTable& table : section.tables) tables.push_back(table_json(table));
  return fmt::format(R"({{"id":{},"title":{},"intro":{},"figures":[{}],"tables":[{}]}})", json_text(section.id),
                     json_text(section.title), json_text(section.intro), fmt::join(figures, ",\n"),
                     fmt::join(tables, ",\n"));
}

/// What fields of figures' data are called: those of axes have the names of the axes.
std::string field_titles(const Study& study) {
  std::vector<std::string> titles;
  for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
    titles.push_back(fmt::format("{}:{}", json_text(vega::axis_field(axis)), json_text(study.axes[axis].name)));
  }
  return fmt::format("{{{}}}", fmt::join(titles, ","));
}

}  // namespace

Report make_report(const Database& view) {
  const Study study = Study::read(view);
  const VerdictLimits limits;
  const StudyVerdict verdict = judge(study, limits);
  return {.title = title_of_study(study),
          .about = about(view),
          .overview = overview_json(study, verdict, limits),
          .sections = make_sections({study, verdict, view}),
          .field_titles = field_titles(study),
          .run_pages = run_pages_json(study, view)};
}

std::string to_json(const Report& report) {
  std::vector<std::string> about, sections;
  for (const std::string& part : report.about) about.push_back(json_text(part));
  for (const Section& section : report.sections) sections.push_back(section_json(section));
  return fmt::format(
      R"({{"title":{},"about":[{}],"overview":{},"themes":{{"light":{},"dark":{}}},"field_titles":{},"sections":[{}],"runs":{}}})",
      json_text(report.title), fmt::join(about, ","), report.overview, light_theme(), dark_theme(), report.field_titles,
      fmt::join(sections, ",\n"), report.run_pages);
}

std::vector<const Figure*> figures_of(const Report& report) {
  std::vector<const Figure*> figures;
  for (const Section& section : report.sections) {
    for (const Figure& figure : section.figures) figures.push_back(&figure);
  }
  return figures;
}

}  // namespace souk
