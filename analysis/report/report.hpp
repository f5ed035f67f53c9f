#pragma once

#include <string>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/report/figure.hpp"
#include "analysis/report/study.hpp"

namespace souk {

/// Everything that the page shows, made from the merged view at the level of the federation.
struct Report {
  std::string title;
  std::vector<std::string> about;  ///< when, by what and on which data (about.hpp)
  std::string overview;            ///< JSON: the cards of the first screen and its definitions
  std::vector<Section> sections;
  std::string field_titles;  ///< JSON: names of fields of figures' data that say nothing by themselves
  std::string run_pages;     ///< JSON, run_pages.hpp
};

Report make_report(const Database& view);

/// All of it as one JSON text: the data of the page.
std::string to_json(const Report& report);

/// All figures in the order of the page.
std::vector<const Figure*> figures_of(const Report& report);

}  // namespace souk
