#pragma once

#include <string_view>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/report/figure.hpp"
#include "analysis/report/study.hpp"
#include "analysis/report/verdict.hpp"

namespace souk {

/// What sections are made of.
struct ReportInput {
  const Study& study;
  const StudyVerdict& verdict;
  const Database& view;  ///< merged, at the level of the federation
};

/// What stands in a section.
struct SectionContent {
  std::vector<Figure> figures = {};
  std::vector<ReportTable> tables = {};

  void add(std::vector<Figure> more);
  void add(ReportTable table);  ///< unless it has no rows
  /// A section without data is not on the page.
  bool has_data() const { return !figures.empty() || !tables.empty(); }
};

/// A part of the page: one file under analysis/report/sections/, which registers it.
struct SectionKind {
  std::string_view id;     ///< of its element: letters, digits and '-'
  std::string_view title;  ///< its heading
  int place = 0;           ///< on the page, ascending; numbers lie apart for others to come between
  SectionContent (*content)(const ReportInput& input) = nullptr;
};

/// A static one at the end of a section's file enters it. Texts must live as long as the program.
struct RegisterSection {
  explicit RegisterSection(const SectionKind& kind);
};

/// All sections in the order of the page. Contract: no place was taken twice.
std::vector<SectionKind> section_kinds();

}  // namespace souk
