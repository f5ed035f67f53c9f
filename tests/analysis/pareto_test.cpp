#include "analysis/tables/pareto.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/random.hpp"

namespace souk::pareto_test {
namespace {

TEST(Pareto, the_front_is_what_nothing_dominates) {
  Stream stream(5, StreamKey{Purpose::partition, AgentId{0}, RoundIndex{0}});
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<GainAndCost> points(stream.below(12));
    for (GainAndCost& point : points) {
      point = {static_cast<double>(stream.below(5)), static_cast<double>(stream.below(5))};
    }
    const std::vector<bool> front = pareto_front(points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool dominated = std::ranges::any_of(points, [&](const GainAndCost& other) {
        return other.gain >= points[i].gain && other.cost <= points[i].cost &&
               (other.gain > points[i].gain || other.cost < points[i].cost);
      });
      EXPECT_EQ(front[i], !dominated);
    }
  }
}

}  // namespace
}  // namespace souk::pareto_test
