#include "aggregators/stats/hdbscan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

/// A node of the single-linkage tree: its children come together at a distance, all at once. Nodes below n are points;
/// node n + i is merge i.
struct Merge {
  std::vector<std::size_t> children;
  double distance;
  std::size_t size;
};

struct TreeEdge {
  std::size_t a;
  std::size_t b;
  double length;
};

/// A node of the condensed tree. Lambda is 1 / distance; it is infinite at 0.
struct Cluster {
  std::size_t parent = none;
  double birth = 0.0;  ///< lambda at which it split off
  double stability = 0.0;
  bool selected = false;
};

struct CondensedTree {
  std::vector<Cluster> clusters;     ///< parents before children; 0 is the root
  std::vector<std::size_t> cluster;  ///< [n], where a point is last
  std::vector<double> lambda;        ///< [n], at which it leaves that
};

std::vector<double> core_distances(const SymmetricMatrix& distances, std::size_t min_samples) {
  const std::size_t n = distances.order;
  const std::size_t rank = std::min(min_samples, n - 1);  // the point itself has rank 0
  std::vector<double> cores(n);
  std::vector<double> row(n);
  for (std::size_t i = 0; i < n; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < n; ++j) row[j] = distances(i, j);
    std::nth_element(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(rank), row.end());
    cores[i] = row[rank];
  }
  return cores;
}

/// Prim's algorithm on mutual reachability distances; edges in ascending order.
std::vector<TreeEdge> spanning_tree(const SymmetricMatrix& distances, std::span<const double> cores) {
  const std::size_t n = distances.order;
  std::vector<double> shortest(n, std::numeric_limits<double>::infinity());
  std::vector<std::size_t> towards(n, 0);
  std::vector<bool> reached(n, false);
  std::vector<TreeEdge> edges;
  std::size_t latest = 0;
  for (std::size_t count = 1; count < n; ++count) {
    heartbeat::beat();
    reached[latest] = true;
    std::size_t next = none;
    for (std::size_t j = 0; j < n; ++j) {
      if (reached[j]) continue;
      const double reachability = std::max({cores[latest], cores[j], distances(latest, j)});
      if (reachability < shortest[j]) {
        shortest[j] = reachability;
        towards[j] = latest;
      }
      if (next == none || shortest[j] < shortest[next]) next = j;
    }
    edges.push_back({towards[next], next, shortest[next]});
    latest = next;
  }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const TreeEdge& a, const TreeEdge& b) { return a.length < b.length; });
  return edges;
}

/// Merges at the same distance are one, so that the order of equal edges does not matter. The last one is the root.
std::vector<Merge> single_linkage(const std::vector<TreeEdge>& edges) {
  const std::size_t n = edges.size() + 1;
  std::vector<std::size_t> above(2 * n - 1);  // union-find over points and merges
  std::iota(above.begin(), above.end(), std::size_t{0});
  const auto top = [&](std::size_t node) {
    while (above[node] != node) node = above[node] = above[above[node]];
    return node;
  };
  std::vector<Merge> merges;
  const auto absorb = [&](Merge& merge, std::size_t node) {
    above[node] = n + merges.size();
    merge.size += node < n ? 1 : merges[node - n].size;
    if (node < n || merges[node - n].distance != merge.distance) {
      merge.children.push_back(node);
    } else {
      const std::vector<std::size_t>& children = merges[node - n].children;
      merge.children.insert(merge.children.end(), children.begin(), children.end());
    }
  };
  for (const TreeEdge& edge : edges) {
    Merge merge{{}, edge.length, 0};
    const std::size_t left = top(edge.a);
    const std::size_t right = top(edge.b);
    absorb(merge, left);
    absorb(merge, right);
    merges.push_back(std::move(merge));
  }
  return merges;
}

/// Walks down the single-linkage tree. A branch below the minimum size drops its points where it branches off.
class Condensation {
 public:
  Condensation(const std::vector<Merge>& merges, std::size_t min_cluster_size)
      : merges_(merges), n_(merges.size() + 1), min_cluster_size_(min_cluster_size) {
    tree_.cluster.assign(n_, 0);
    tree_.lambda.assign(n_, 0.0);
    tree_.clusters.emplace_back();
    pending_.push_back({2 * n_ - 2, 0});
  }

  CondensedTree run() {
    while (!pending_.empty()) {
      const auto [node, cluster] = pending_.back();
      pending_.pop_back();
      split(merges_[node - n_], cluster);
    }
    return std::move(tree_);
  }

 private:
  struct Pending {
    std::size_t node;  ///< a merge
    std::size_t cluster;
  };

  std::size_t size(std::size_t node) const { return node < n_ ? 1 : merges_[node - n_].size; }

  void split(const Merge& merge, std::size_t cluster) {
    const double lambda = 1.0 / merge.distance;
    const auto large = [&](std::size_t node) { return size(node) >= min_cluster_size_; };
    const bool splits = std::count_if(merge.children.begin(), merge.children.end(), large) > 1;
    for (const std::size_t node : merge.children) {
      if (!large(node)) {
        drop(node, cluster, lambda);
      } else if (splits) {
        leave(cluster, lambda, size(node));
        tree_.clusters.push_back({.parent = cluster, .birth = lambda});
        pending_.push_back({node, tree_.clusters.size() - 1});
      } else {
        pending_.push_back({node, cluster});
      }
    }
  }

  void drop(std::size_t node, std::size_t cluster, double lambda) {
    leave(cluster, lambda, size(node));
    std::vector<std::size_t> nodes{node};
    while (!nodes.empty()) {
      const std::size_t top = nodes.back();
      nodes.pop_back();
      if (top < n_) {
        tree_.cluster[top] = cluster;
        tree_.lambda[top] = lambda;
      } else {
        const std::vector<std::size_t>& children = merges_[top - n_].children;
        nodes.insert(nodes.end(), children.begin(), children.end());
      }
    }
  }

  void leave(std::size_t cluster, double lambda, std::size_t points) {
    Cluster& left = tree_.clusters[cluster];
    if (lambda > left.birth) left.stability += (lambda - left.birth) * static_cast<double>(points);  // inf - inf is 0
  }

  const std::vector<Merge>& merges_;
  std::size_t n_;
  std::size_t min_cluster_size_;
  std::vector<Pending> pending_;
  CondensedTree tree_;
};

/// Excess of mass: a cluster is selected where its stability is at least that of the best choice among its descendants.
void select(std::vector<Cluster>& clusters, bool allow_single_cluster) {
  std::vector<double> below(clusters.size(), 0.0);  // stability of the best choice among the descendants
  for (std::size_t c = clusters.size(); c-- > 0;) {
    Cluster& cluster = clusters[c];
    cluster.selected = cluster.stability >= below[c] && (c > 0 || allow_single_cluster);
    if (c > 0) below[cluster.parent] += std::max(cluster.stability, below[c]);
  }
  for (std::size_t c = 1; c < clusters.size(); ++c) {  // the selected ancestor farthest up is the one that counts
    for (std::size_t up = clusters[c].parent; up != none; up = clusters[up].parent) {
      if (clusters[up].selected) clusters[c].selected = false;
    }
  }
}

std::size_t selected_at_or_above(const std::vector<Cluster>& clusters, std::size_t cluster) {
  while (cluster != none && !clusters[cluster].selected) cluster = clusters[cluster].parent;
  return cluster;
}

/// The lambda at which the last points leave the root itself.
double end_of_root(const CondensedTree& tree) {
  double end = 0.0;
  for (std::size_t i = 0; i < tree.cluster.size(); ++i) {
    if (tree.cluster[i] == 0) end = std::max(end, tree.lambda[i]);
  }
  for (const Cluster& cluster : tree.clusters) {
    if (cluster.parent == 0) end = std::max(end, cluster.birth);
  }
  return end;
}

std::vector<std::size_t> labels_of(const CondensedTree& tree) {
  const double end = end_of_root(tree);
  std::vector<std::size_t> labels;
  for (std::size_t i = 0; i < tree.cluster.size(); ++i) {
    const std::size_t cluster = selected_at_or_above(tree.clusters, tree.cluster[i]);
    labels.push_back(cluster == 0 && tree.lambda[i] < end ? noise : cluster);
  }
  return labels;
}

}  // namespace

std::vector<std::size_t> hdbscan(const SymmetricMatrix& distances, const HdbscanSettings& settings) {
  const std::size_t n = distances.order;
  SOUK_EXPECT(settings.min_cluster_size >= 2 && settings.min_samples >= 1);
  if (n < settings.min_cluster_size) return std::vector<std::size_t>(n, noise);
  const std::vector<TreeEdge> edges = spanning_tree(distances, core_distances(distances, settings.min_samples));
  const std::vector<Merge> merges = single_linkage(edges);
  CondensedTree tree = Condensation(merges, settings.min_cluster_size).run();
  select(tree.clusters, settings.allow_single_cluster);
  return numbered_by_first_member(labels_of(tree));
}

std::vector<std::size_t> majority_cluster(const SymmetricMatrix& distances) {
  const std::size_t n = distances.order;
  SOUK_EXPECT(n >= 1);
  if (n == 1) return {0};
  const std::vector<std::size_t> labels =
      hdbscan(distances, {.min_cluster_size = n / 2 + 1, .min_samples = 1, .allow_single_cluster = true});
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < n; ++i) {
    if (labels[i] != noise) members.push_back(i);
  }
  return members;
}

}  // namespace souk
