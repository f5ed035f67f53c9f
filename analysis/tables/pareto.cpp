#include "analysis/tables/pareto.hpp"

#include <algorithm>
#include <numeric>

namespace souk {

std::vector<bool> pareto_front(std::span<const GainAndCost> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return points[a].cost != points[b].cost ? points[a].cost < points[b].cost : points[a].gain > points[b].gain;
  });
  std::vector<bool> on_front(points.size(), false);
  bool any = false;
  GainAndCost last{};  // of the front: the most gain so far
  for (const std::size_t i : order) {
    const GainAndCost& point = points[i];
    const bool equal = any && point.gain == last.gain && point.cost == last.cost;
    if (any && !equal && point.gain <= last.gain) continue;
    on_front[i] = true;
    any = true;
    last = point;
  }
  return on_front;
}

}  // namespace souk
