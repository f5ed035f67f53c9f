#pragma once

#include "aggregators/aggregator.hpp"

namespace souk {

/// 1 - cosine of every pair of updates, [n, n]: in [0, 2], 0 on the diagonal, 1 where one of the two is 0. Collective.
SymmetricMatrix cosine_distances(const Comm& comm, const ColumnMatrix& updates);

/// The same of the models origin + update, which are never formed. Collective.
SymmetricMatrix cosine_distances(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& origin);

}  // namespace souk
