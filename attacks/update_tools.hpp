#pragma once

#include <cstdint>
#include <span>

#include "attacks/update_attack.hpp"

namespace souk {

/// A matrix of the same shape, every value mapped by itself.
template <class Map>
ColumnMatrix map_values(const Comm& comm, const ColumnMatrix& from, const Map& map) {
  ColumnMatrixBuilder mapped(comm, from.rows(), from.dimension());
  for (std::size_t i = 0; i < from.rows(); ++i) {
    const auto in = from.row(i);
    const auto out = mapped.row(i);
    for (std::size_t c = 0; c < in.size(); ++c) out[c] = map(in[c]);
  }
  return std::move(mapped).finish();
}

/// `vector` in each of `rows` rows.
ColumnMatrix copies_of(const Comm& comm, std::size_t dimension, const ColumnVector& vector, std::size_t rows);

/// Row i times factors[i].
ColumnMatrix scale_rows(const Comm& comm, const ColumnMatrix& from, std::span<const double> factors);

/// Mean and standard deviation (divided by k, as the attacks' reference code does) of every coordinate, accumulated in
/// double. No communication.
struct Spread {
  ColumnVector mean, deviation;
};
Spread spread_of(const ColumnMatrix& updates);

/// Independent standard normal numbers for row `row` of `like`, written panel by panel: the stream is named by agent,
/// round, panel and `lane`, so that the bits do not depend on the number of ranks. lane < 1024.
void fill_normal(const PublicRound& round, AgentId agent, std::uint16_t lane, const ColumnMatrix& like,
                 std::span<float> values);

}  // namespace souk
