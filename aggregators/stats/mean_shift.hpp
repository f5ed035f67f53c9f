#pragma once

#include <cstddef>
#include <vector>

#include "aggregators/stats/labels.hpp"
#include "sim/params/dense_matrix.hpp"

namespace souk {

/// Mean over the points of the distance to the n_q-th nearest, n_q = max(1, floor(n q)), each point its own first:
/// scikit-learn's estimate_bandwidth. 0 where so many points coincide. Points [n, m], n >= 1, q in [0, 1].
double estimate_bandwidth(const DenseMatrix& points, double quantile);

/// Labels by mean shift with a flat kernel (Comaniciu and Meer, IEEE TPAMI 2002; scikit-learn's MeanShift without
/// cluster_all): every point climbs to the mean of the points within the bandwidth until that moves by less than
/// bandwidth / 1000 or for 300 steps; of ends nearer to each other than the bandwidth, the one with most points within
/// stays; a point belongs to the nearest end, and is noise where that is farther than the bandwidth. Clusters are
/// numbered by size, 0 the largest, ties by their first members. A bandwidth of 0 makes a cluster of each group of
/// equal points.
std::vector<std::size_t> mean_shift(const DenseMatrix& points, double bandwidth);

}  // namespace souk
