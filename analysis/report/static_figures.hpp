#pragma once

#include <filesystem>
#include <vector>

#include "analysis/report/figure.hpp"

namespace souk {

/// Writes every figure into `directory` as ID.vl.json, a Vega-Lite specification with its data, and ID.svg, drawn by
/// Vega-Lite under Node; figures with several metrics once for each, as ID-METRIC. Throws InputError where there is no
/// Node or no library, before anything is written, and std::runtime_error with Node's words where it fails.
void write_figures(const std::vector<const Figure*>& figures, const std::filesystem::path& directory);

/// A figure's specification with its data and configuration; `metric`, unless empty, is what its parameter `metric` is
/// set to.
std::string standalone_spec(const Figure& figure, const std::string& metric);

}  // namespace souk
