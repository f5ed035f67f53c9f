#include "sim/privacy/noise_over_rounds.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"

namespace souk {

std::vector<double> square_root_coefficients(std::uint64_t rounds, std::uint64_t band) {
  std::vector<double> c(rounds, 0.0);
  const std::uint64_t most = band == 0 ? rounds : std::min(band, rounds);
  for (std::uint64_t k = 0; k < most; ++k) {
    const auto twice = 2.0 * static_cast<double>(k);
    c[k] = k == 0 ? 1.0 : c[k - 1] * (twice - 1.0) / twice;
  }
  return c;
}

/// Of the client that takes part in the first round: entry t of the sum of its columns is c_t and what it was one
/// separation before.
std::vector<double> toeplitz_sensitivities(const std::vector<double>& coefficients, std::uint64_t separation) {
  SOUK_EXPECT(separation > 0);
  std::vector<double> column(coefficients), sensitivities;
  double squares = 0.0;
  for (std::size_t t = 0; t < column.size(); ++t) {
    if (t >= separation) column[t] += column[t - separation];
    squares += column[t] * column[t];
    sensitivities.push_back(std::sqrt(squares));
  }
  return sensitivities;
}

std::vector<double> tree_sensitivities(std::uint64_t rounds, std::uint64_t separation, TreeBlocks blocks) {
  SOUK_EXPECT(separation > 0);
  const std::uint64_t classes = std::min(separation, rounds);  // clients, by their first rounds
  std::vector<double> squares(classes, 0.0), sensitivities;
  /// Rounds of such a client before this one.
  const auto before = [&](std::uint64_t round, std::uint64_t first) {
    return round <= first ? 0 : (round - first + separation - 1) / separation;
  };
  for (std::uint64_t end = 1; end <= rounds; ++end) {
    for (std::uint64_t length = 1; end % length == 0; length *= 2) {
      const bool is_first = end / length % 2 == 1;
      if (!is_first && blocks == TreeBlocks::of_sums) continue;
      for (std::uint64_t first = 0; first < classes; ++first) {
        const auto inside = static_cast<double>(before(end, first) - before(end - length, first));
        squares[first] += inside * inside;
      }
    }
    sensitivities.push_back(std::sqrt(*std::ranges::max_element(squares)));
  }
  return sensitivities;
}

}  // namespace souk
