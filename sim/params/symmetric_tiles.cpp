#include "sim/params/symmetric_tiles.hpp"

#include "sim/params/row_products.hpp"

namespace souk {

static_assert(tile_rows % row_products_unit == 0);

double tile_bytes(std::size_t rows, const PanelPlan& plan, int ranks) {
  const std::size_t height = std::min(rows, tile_rows);
  const double entries = static_cast<double>(rows > tile_rows ? height * height : height * (height + 1) / 2);
  std::size_t own = 0;
  for (int r = 0; r < ranks; ++r) own = std::max(own, plan.first_panel(r + 1, ranks) - plan.first_panel(r, ranks));
  const double tiles = ranks == 1 ? 2.0 : static_cast<double>(own + plan.count() + 1);
  const double packed =
      static_cast<double>(packed_values(std::min(rows, 2 * tile_rows), run_columns_max) + height * height);
  return tiles * entries * sizeof(double) + packed * sizeof(float);
}

}  // namespace souk
