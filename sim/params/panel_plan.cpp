#include "sim/params/panel_plan.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

constexpr std::size_t panels_max = streams::panels;  // draws by panel are named by it
constexpr std::size_t line = 16;                     // floats in a cache line
constexpr std::size_t width_min = 64 * line;         // below this a panel is not worth its bookkeeping

}  // namespace

PanelPlan::PanelPlan(std::size_t dimension) : dimension_(dimension), count_(0), width_(width_min) {
  const std::size_t even = (dimension + panels_max - 1) / panels_max;
  width_ = std::max(width_min, (even + line - 1) / line * line);
  count_ = (dimension + width_ - 1) / width_;
}

ColumnRange PanelPlan::columns(std::size_t panel) const {
  SOUK_EXPECT(panel < count_);
  return {panel * width_, std::min(dimension_, (panel + 1) * width_)};
}

std::size_t PanelPlan::first_panel(int rank, int ranks) const {
  return count_ * static_cast<std::size_t>(rank) / static_cast<std::size_t>(ranks);
}

ColumnRange PanelPlan::columns_of(int rank, int ranks) const {
  const auto column = [&](std::size_t panel) { return std::min(dimension_, panel * width_); };
  return {column(first_panel(rank, ranks)), column(first_panel(rank + 1, ranks))};
}

std::size_t widest_part(const PanelPlan& plan, int ranks) {
  std::size_t widest = 0;
  for (int r = 0; r < ranks; ++r) widest = std::max(widest, plan.columns_of(r, ranks).size());
  return widest;
}

}  // namespace souk
