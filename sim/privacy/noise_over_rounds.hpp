#pragma once

#include <cstdint>
#include <vector>

namespace souk {

/// The first so many coefficients c_k of the Toeplitz matrix C over rounds whose square is that of prefix sums:
/// c_0 = 1, c_k = c_(k-1) (2k - 1) / (2k); those from `band` on are 0, unless that is 0. Fichtenberger, Henzinger,
/// Upadhyay, "Constant Matters", ICML 2023.
std::vector<double> square_root_coefficients(std::uint64_t rounds, std::uint64_t band);

/// [rounds] Of a client that takes part in every `separation`th round and moves a round's sum by 1 at most: by how much
/// it moves C times the sums of the rounds up to and with each, in Euclidean norm. The worst first round of the client;
/// exact, for coefficients are not negative. Noise of deviation sigma on each round's entry is then a Gaussian
/// mechanism with mu = sensitivity / sigma.
std::vector<double> toeplitz_sensitivities(const std::vector<double>& coefficients, std::uint64_t separation);

/// Which blocks of 1, 2, 4 .. rounds have noise of their own in a tree over the rounds.
enum class TreeBlocks {
  /// Those that sums of the first rounds are put together from: of two that make a larger one the first.
  of_sums,
  all
};

/// The same for the sums of the blocks that are over.
std::vector<double> tree_sensitivities(std::uint64_t rounds, std::uint64_t separation, TreeBlocks blocks);

}  // namespace souk
