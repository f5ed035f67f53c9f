#include "analysis/report/theme.hpp"

#include <array>

#include <nlohmann/json.hpp>

namespace souk {
namespace {

struct Inks {
  const char* text;
  const char* quiet;  ///< ticks and labels
  const char* grid;
  std::array<const char*, category_colours> categories;
};

std::string theme(const Inks& inks) {
  using Json = nlohmann::json;
  const Json fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
  const Json words = {
      {"labelColor", inks.quiet},    {"titleColor", inks.text}, {"labelFontSize", 12}, {"titleFontSize", 12},
      {"titleFontWeight", "normal"}, {"labelFont", fonts},      {"titleFont", fonts},  {"labelLimit", 220}};
  Json axis = words;
  axis.update({{"gridColor", inks.grid}, {"domainColor", inks.quiet}, {"tickColor", inks.quiet}, {"titlePadding", 8}});
  Json legend = words;
  legend.update({{"symbolStrokeWidth", 2}, {"orient", "right"}});
  const Json config = {{"background", "transparent"},
                       {"font", fonts},
                       {"axis", axis},
                       {"legend", legend},
                       {"header", words},
                       {"title",
                        {{"color", inks.text},
                         {"fontSize", 12},
                         {"fontWeight", "normal"},
                         {"anchor", "start"},
                         {"font", fonts},
                         {"offset", 8}}},
                       {"view", {{"stroke", nullptr}}},
                       {"axisX", {{"grid", false}}},
                       {"range", {{"category", inks.categories}}},
                       {"line", {{"color", inks.categories.front()}}},
                       {"point", {{"color", inks.categories.front()}}}};
  return config.dump();
}

}  // namespace

std::string light_theme() {
  return theme({.text = "#1b1f24",
                .quiet = "#57606a",
                .grid = "#e4e7eb",
                .categories = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#222222", "#b8a900",
                               "#7b3fa0", "#8c564b", "#8a949e", "#d6266e"}});
}

std::string dark_theme() {
  return theme({.text = "#e6e9ee",
                .quiet = "#a3adb8",
                .grid = "#30363d",
                .categories = {"#3d8fe0", "#ff8c3b", "#1fc796", "#e69ac8", "#f0b429", "#7cc8f5", "#eeeeee", "#f0e442",
                               "#a97bff", "#b98a6e", "#7d8894", "#ff4f81"}});
}

}  // namespace souk
