#include "aggregators/last_layer_updates.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"
#include "sim/params/row_sums.hpp"
#include "sim/params/symmetric_tiles.hpp"

namespace souk {
namespace {

/// The part of `columns` that lies in a panel.
ColumnRange within(const Panel& panel, ColumnRange columns) {
  const auto inside = [&](std::size_t c) { return std::clamp(c, panel.columns.begin, panel.columns.end); };
  return {inside(columns.begin), inside(columns.end)};
}

}  // namespace

DenseMatrix magnitudes_by_class(const RuleInput& input, const LastLayer& layer, std::size_t classes) {
  SOUK_EXPECT(classes > 0);
  SOUK_REQUIRE(
      layer.weight.size() % classes == 0 && (layer.bias.size() == 0 || layer.bias.size() == classes),
      "aggregator: the rule looks at the last layer class by class, and {} weights and {} biases are not those "
      "of {} classes",
      layer.weight.size(), layer.bias.size(), classes);
  const std::size_t n = input.updates.rows();
  DenseMatrix result(n, classes);
  std::vector<double> sums(input.updates.panels().size() * n * classes, 0.0);
  double* of_row = sums.data();
  for (const Panel& panel : input.updates.panels()) {
    for (std::size_t i = 0; i < n; ++i, of_row += classes) {
      const auto add = [&](ColumnRange part, std::size_t per_class) {
        const ColumnRange columns = within(panel, part);
        for (std::size_t c = columns.begin; c < columns.end; ++c) {
          const float value = panel.row(i)[c - panel.columns.begin];
          of_row[(c - part.begin) / per_class] += std::abs(static_cast<double>(value));
        }
      };
      add(layer.weight, layer.weight.size() / classes);
      add(layer.bias, 1);
    }
  }
  result.values = sum_over_panels(input.comm, input.updates.plan(), sums, n * classes);
  return result;
}

SymmetricMatrix bias_gram(const RuleInput& input, const LastLayer& layer) {
  const ColumnRange compared = layer.bias.size() > 0 ? layer.bias : layer.weight;
  return symmetric_sum_over_panels(
      input.comm, input.updates, [&](const Panel& panel, const SymmetricTile& tile, std::span<double> sums) {
        const ColumnRange columns = within(panel, compared);
        if (columns.size() == 0) return;
        const auto values = [&](std::size_t i) { return panel.row(i).data() + (columns.begin - panel.columns.begin); };
        double* entry = sums.data();
        for (std::size_t i = 0; i < tile.height(); ++i) {
          for (std::size_t j = 0; j < tile.width(i); ++j) {
            *entry++ += dot(values(tile.rows.begin + i), values(tile.columns.begin + j), columns.size());
          }
        }
      });
}

}  // namespace souk
