#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "analysis/report/figure.hpp"

namespace souk {

/// What write_figures has written.
struct WrittenFigures {
  std::size_t count = 0;
  std::string without_pdf;  ///< what is missing for PDF; empty: nothing, they are there
};

/// Writes every state of every figure (figure_states.hpp) into `directory`: NAME.vl.json, a Vega-Lite specification
/// with its data; NAME.svg, drawn by Vega-Lite under Node; NAME.pdf, where rsvg-convert or Chromium is installed; and
/// index.csv, which says what every file shows. Throws InputError where there is no Node or no library, or where there
/// would be more than most_figures, before anything is written, and std::runtime_error with Node's words where it
/// fails.
WrittenFigures write_figures(const std::vector<const Figure*>& figures, const std::filesystem::path& directory);

inline constexpr std::size_t most_figures = 5000;

}  // namespace souk
