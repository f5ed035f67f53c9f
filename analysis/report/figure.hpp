#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/report/data_set.hpp"

namespace souk {

/// A figure: a Vega-Lite specification that names its data, and the data.
struct Figure {
  std::string id;  ///< of its element and of its files: letters, digits and '-'
  std::string title;
  std::string note;  ///< what is drawn, over what, in one or two sentences
  std::string spec;  ///< JSON; its data are {"name": "data"}
  DataSet data;
  /// Choices of the specification's parameter `metric`; each becomes a file of its own under --figures. May be empty.
  std::vector<std::string> metrics = {};
};

/// A table; columns are shown in the order of the data's columns.
struct ReportTable {
  struct Column {
    std::string title;
    std::string format = {};  ///< of numbers, as d3-format writes it; empty: as they are
    std::string note = {};    ///< what the column says, where its title is not enough
  };
  std::string id;
  std::string title;
  std::string note;
  std::vector<Column> columns;
  DataSet data;
  /// Name of the column of data that holds the run's number, which opens its page; not shown. Empty: none.
  std::string run_column = {};
};

/// A part of the page. Nothing is shown of one without figures and tables.
struct Section {
  std::string id;
  std::string title;
  std::string intro;
  std::vector<Figure> figures = {};
  std::vector<ReportTable> tables = {};
};

}  // namespace souk
