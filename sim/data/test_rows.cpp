#include "sim/data/test_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

constexpr std::uint16_t split_lane = 1;  // of Purpose::dataset; glyphs use 0, image folders 2, topics 3

}  // namespace

std::vector<bool> draw_test_rows(std::size_t rows, double share, std::uint64_t seed) {
  SOUK_EXPECT(rows >= 2);
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  Stream(seed, Purpose::dataset, nobody, RoundIndex{0}, split_lane).shuffle(order);
  const double wanted = std::floor(share * static_cast<double>(rows));
  const std::size_t tested = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, rows - 1);
  std::vector<bool> is_test(rows);
  for (std::size_t i = 0; i < tested; ++i) is_test[order[i]] = true;
  return is_test;
}

}  // namespace souk
