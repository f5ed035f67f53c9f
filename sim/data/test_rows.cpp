#include "sim/data/test_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {}  // namespace

std::vector<bool> draw_test_rows(std::span<const std::int32_t> labels, double share, std::uint64_t seed,
                                 const std::string& path) {
  const std::size_t rows = labels.size();
  SOUK_REQUIRE(rows >= 2, "{}: one sample cannot be split into training and test samples", path);
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  Stream(seed, streams::table_split()).shuffle(order);
  const double wanted = std::floor(share * static_cast<double>(rows));
  const std::size_t tested = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, rows - 1);
  std::vector<bool> is_test(rows);
  for (std::size_t i = 0; i < tested; ++i) is_test[order[i]] = true;

  std::vector<std::size_t> training(static_cast<std::size_t>(*std::ranges::max_element(labels)) + 1);
  const auto training_of = [&](std::uint32_t row) -> std::size_t& {
    return training[static_cast<std::size_t>(labels[row])];
  };
  for (std::size_t i = tested; i < rows; ++i) ++training_of(order[i]);
  std::size_t missing = 0;  // test rows given back to a class without a training row
  for (std::size_t i = 0; i < tested; ++i) {
    if (training_of(order[i]) > 0) continue;
    is_test[order[i]] = false;
    ++training_of(order[i]);
    ++missing;
  }
  const bool none = missing == tested;
  for (std::size_t i = tested; i < rows && missing > 0; ++i) {
    if (training_of(order[i]) < 2) continue;
    is_test[order[i]] = true;
    --training_of(order[i]);
    --missing;
  }
  SOUK_REQUIRE(!none || missing < tested,
               "{}: none of its {} samples can be taken for testing: every class has one, and needs it for training",
               path, rows);
  return is_test;
}

}  // namespace souk
