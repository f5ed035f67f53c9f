#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/data/graphs/graph_file.hpp"

/// Noise on all pairs of nodes that costs as much as it changes: most pairs are no edges, and most of those stay so.
namespace souk {

/// Number of pairs i < j of so many nodes, at most 2^32.
constexpr double pairs_of(std::size_t nodes) {
  return 0.5 * static_cast<double>(nodes) * (static_cast<double>(nodes) - 1.0);
}

/// The number that a Laplace variable of scale 1 exceeds with this probability, from 0 to 1.
double laplace_exceeded_by(double probability);

/// A draw of scale 1.
double laplace(Stream& random);

/// Draws pairs i < j of nodes, each with `probability` and independently of the others. How many are passed over from
/// one to the next is geometric, so that all of it takes O(nodes + pairs drawn).
class PairDraw {
 public:
  PairDraw(std::size_t nodes, double probability, Stream& random);
  /// The next one, ascending; nothing after the last.
  std::optional<Edge> next();

 private:
  double draw_gap();

  Stream& random_;
  double log_of_staying_;  ///< logarithm of the probability that a pair is not drawn
  std::uint64_t nodes_;
  std::uint64_t left_;       ///< pairs not yet passed
  std::uint64_t row_ = 0;    ///< the smaller node of where it stands
  std::uint64_t place_ = 0;  ///< place among the pairs of row_
  std::uint32_t drawn_ = 0;
};

/// The share of the pairs without an edge that largest_cells should begin with: four times as many as are wanted, or
/// all (1) where half of them were too few.
double first_share(double pairs_without_edge, double wanted);

/// The `wanted` largest cells i < j of A + noise, ascending: A is 1 for edges, the noise of every cell Laplace of scale
/// 1 / epsilon; ties go to the first pair. Of the pairs without an edge those are drawn whose noise is among the
/// largest `share` of its distribution, and then the next ones until all cells above some number, `wanted` at least,
/// are known: the answer is distributed as if all were drawn. O(nodes + pairs drawn).
std::vector<Edge> largest_cells(std::size_t nodes, std::span<const Edge> edges, std::uint64_t wanted, double epsilon,
                                double share, Stream& random);

/// Throws InputError, naming the field of epsilon, where noise keeps more pairs than a stream draws or memory holds.
void check_noise(const char* field, double epsilon, std::size_t nodes, double pairs, double bytes_per_pair);

}  // namespace souk
