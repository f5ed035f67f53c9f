#pragma once

#include <cstddef>
#include <vector>

#include "aggregators/aggregator.hpp"
#include "sim/base/random.hpp"

namespace souk {

/// `count` distinct columns of d, ascending, drawn alike on every rank; all of them where count >= d.
std::vector<std::size_t> draw_columns(std::size_t d, std::size_t count, Stream& random);

/// Bytes that drawing takes, the columns included.
double drawn_columns_bytes(std::size_t d, double count);

/// Gram matrix of the updates restricted to some columns and centred there: every column minus its mean. Collective.
SymmetricMatrix centred_gram_of(const Comm& comm, const ColumnMatrix& updates, const std::vector<std::size_t>& columns);

}  // namespace souk
