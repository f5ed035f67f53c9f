#include "analysis/report/lines.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace souk::vega {
namespace {

/// Those of the study behind the figure's own, if that has several values.
std::vector<Dimension> all_dimensions(const Study& study, std::size_t except, const Dimension* own) {
  std::vector<Dimension> dimensions = dimensions_of(study, except);
  if (own != nullptr && own->values.size() > 1) dimensions.insert(dimensions.begin(), *own);
  return dimensions;
}

}  // namespace

std::vector<Dimension> dimensions_of(const Study& study, std::size_t except) {
  std::vector<Dimension> dimensions;
  const auto add = [&](Dimension dimension) {
    if (dimension.values.size() > 1) dimensions.push_back(std::move(dimension));
  };
  add({"rule", "rule", study.rules});
  add({"attack", "attack", study.attacks});
  for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
    if (axis != except) add({axis_field(axis), study.axes[axis].name, study.axes[axis].values});
  }
  return dimensions;
}

void choose_lines(Json& spec, const Study& study, std::size_t except, const Dimension* own) {
  const std::vector<Dimension> dimensions = all_dimensions(study, except, own);
  if (dimensions.size() < 2) {
    const std::string alone = own == nullptr ? "rule" : own->field;
    spec["transform"].push_back(calculate("datum." + (dimensions.empty() ? alone : dimensions.front().field), "line"));
    return;
  }
  std::vector<std::string> fields, names;
  for (const Dimension& dimension : dimensions) {
    fields.push_back(dimension.field);
    names.push_back(dimension.name);
  }
  spec["params"].push_back(choice("lines", "Lines", fields, names));
  for (const auto& [field, name, values] : dimensions) {
    const std::string label = field == "rule" ? "Rule" : field == "attack" ? "Attack" : name;
    spec["params"].push_back(choice(field, label, values));
    spec["transform"].push_back(filter(fmt::format("lines == '{0}' || datum.{0} == {0}", field)));
  }
  spec["transform"].push_back(calculate("datum[lines]", "line"));
}

void colour_by_line(Json& encoding, const Study& study, std::size_t except, const Dimension* own) {
  std::size_t most = 1;
  for (const Dimension& dimension : all_dimensions(study, except, own)) most = std::max(most, dimension.values.size());
  colour_by(encoding, "line", "", most);
  const Json legend = {{"labelExpr",
                        "length(datum.label) > 7 && indexof(datum.label, '.') >= 0 && isFinite(toNumber(datum.label)) "
                        "? format(toNumber(datum.label), '.4~g') : datum.label"}};
  encoding["color"]["legend"] = legend;
  if (encoding.contains("strokeDash")) encoding["strokeDash"]["legend"] = legend;
}

}  // namespace souk::vega
