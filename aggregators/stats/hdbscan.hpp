#pragma once

#include <cstddef>
#include <vector>

#include "aggregators/stats/labels.hpp"
#include "sim/params/linear.hpp"

namespace souk {

struct HdbscanSettings {
  std::size_t min_cluster_size = 5;  ///< >= 2
  std::size_t min_samples = 5;  ///< >= 1: a point's core distance is that to its min_samples-th nearest other point
  bool allow_single_cluster = false;
};

/// Labels of points known by their distances, [n, n] (Campello, Moulavi, Sander, PAKDD 2013), with the conventions of
/// McInnes's hdbscan package: single linkage of mutual reachability distances, condensed by the minimum size, clusters
/// by excess of mass. Where the root is the only cluster, only the points that stay in it as long as any are members:
/// the rest is noise. Clusters are numbered by their first members. Equal distances split at once, as in the paper: a
/// point as near to one cluster as to another belongs to neither, where the package's answer depends on the order of
/// the points. Fewer points than min_cluster_size: all noise.
std::vector<std::size_t> hdbscan(const SymmetricMatrix& distances, const HdbscanSettings& settings);

/// What FLAME (Nguyen et al., USENIX Security 2022, Algorithm 1) admits: the one cluster that
/// hdbscan(min_cluster_size = floor(n / 2) + 1, min_samples = 1, allow_single_cluster) finds, ascending indices; n
/// >= 1. With r the smallest distance at which a component of the graph of all pairs at most r apart has
/// min_cluster_size points, it is that component, whole: ties at r are all in, whatever their order.
std::vector<std::size_t> majority_cluster(const SymmetricMatrix& distances);

}  // namespace souk
