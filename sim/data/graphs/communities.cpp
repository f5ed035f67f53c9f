#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/memory.hpp"
#include "sim/base/streams.hpp"
#include "sim/data/graphs/graph_file.hpp"

namespace souk {
namespace {

const char* const communities_field = "task.data.communities";

scenario::CommunitySize preset(std::uint32_t nodes, std::uint64_t edges, std::uint32_t classes, double homophily,
                               std::uint32_t features, std::uint32_t features_per_node, double signal) {
  scenario::CommunitySize size;
  size.set_nodes(nodes), size.set_edges(edges), size.set_classes(classes), size.set_homophily(homophily);
  size.set_features(features), size.set_features_per_node(features_per_node), size.set_signal(signal);
  return size;
}

// Signals are chosen so that who knows which features are typical, and no edges, tells the class about as often as
// networks do of the original from its features alone.
scenario::CommunitySize size_of(const scenario::Communities& config) {
  switch (config.size_case()) {
    case scenario::Communities::kCoraLike:
      return preset(2'708, 5'278, 7, 0.81, 1'433, 18, 0.22);
    case scenario::Communities::kTwitchLike:
      return preset(9'498, 153'138, 2, 0.63, 3'170, 20, 0.1);
    case scenario::Communities::kFlickrLike:
      return preset(89'250, 449'878, 7, 0.32, 500, 20, 0.1);
    case scenario::Communities::kCustom:
    case scenario::Communities::SIZE_NOT_SET:
      break;
  }
  return config.custom();
}

/// How many edges there are to be of each kind.
struct EdgeCounts {
  std::uint64_t within = 0, across = 0;
  std::uint64_t all() const { return within + across; }
};

double pairs_among(double nodes) { return nodes * (nodes - 1) / 2; }

EdgeCounts counts_of(const scenario::CommunitySize& size) {
  EdgeCounts counts;
  counts.within = static_cast<std::uint64_t>(std::llround(size.homophily() * static_cast<double>(size.edges())));
  counts.across = size.edges() - counts.within;
  return counts;
}

void check_size(const scenario::CommunitySize& size) {
  SOUK_REQUIRE(size.nodes() >= 2 * size.classes(), "{}: {} nodes for {} classes: a class must have two",
               communities_field, size.nodes(), size.classes());
  SOUK_REQUIRE(size.exponent() == 0.0 || size.exponent() > 1.0, "{}: exponent = {}: must be 0 or above 1",
               communities_field, size.exponent());
  const double block = std::floor(static_cast<double>(size.nodes()) / size.classes());
  const double within = size.classes() * pairs_among(block), all = pairs_among(size.nodes());
  const EdgeCounts counts = counts_of(size);
  SOUK_REQUIRE(
      static_cast<double>(counts.within) <= within / 2 && static_cast<double>(counts.across) <= (all - within) / 2,
      "{}: {} edges within classes and {} between them are more than half of all pairs of {} nodes", communities_field,
      counts.within, counts.across, size.nodes());
  const double needed =
      100.0 * size.nodes() + 40.0 * static_cast<double>(size.edges()) + 8.0 * size.nodes() * size.features_per_node();
  SOUK_REQUIRE(needed <= available_memory(), "{}: needs {}, this node has {} to give", communities_field,
               bytes_text(needed), bytes_text(available_memory()));
}

// As many of each class as there can be, dealt out by the seed.
std::vector<std::int32_t> draw_classes(const scenario::CommunitySize& size, Stream& random) {
  std::vector<std::uint32_t> classes(size.nodes());
  for (std::size_t v = 0; v < classes.size(); ++v) classes[v] = static_cast<std::uint32_t>(v % size.classes());
  random.shuffle(classes);
  return {classes.begin(), classes.end()};
}

// Power law of density w^-exponent from 1. A node is expected to have twice the edges times its share of all weights:
// above a tenth of all nodes weights are cut, or what is drawn twice would outnumber what is not. Cutting lowers the
// sum, and with it what is to be cut; a few rounds settle that.
std::vector<double> draw_weights(const scenario::CommunitySize& size, Stream& random) {
  std::vector<double> weights(size.nodes(), 1.0);
  if (size.exponent() == 0.0) return weights;
  for (double& weight : weights) weight = std::pow(1.0 - random.uniform(), -1.0 / (size.exponent() - 1.0));
  const double nodes = size.nodes(), edges = static_cast<double>(size.edges());
  for (int round = 0; round < 8; ++round) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const double most = std::max(sum / nodes, sum * nodes / 10.0 / (2.0 * edges));
    for (double& weight : weights) weight = std::min(weight, most);
  }
  return weights;
}

/// Finds nodes by weight, among all, those of a class or the others. Nodes lie class after class on one line, each as
/// long as it weighs: a node is drawn by drawing a place. A table of where to begin makes finding it take a few steps,
/// whatever the number of nodes.
class WeightedNodes {
 public:
  WeightedNodes(const std::vector<std::int32_t>& classes, const std::vector<double>& weights, std::size_t class_count)
      : ends_(classes.size()), begin_(class_count + 1), first_of_(classes.size() + 1) {
    std::vector<NodeIndex> order(classes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, {}, [&](NodeIndex v) { return classes[v]; });
    double sum = 0.0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      ends_[i] = {sum += weights[order[i]], order[i]};
      begin_[static_cast<std::size_t>(classes[order[i]]) + 1] = sum;
    }
    for (std::size_t part = 0, i = 0; part < first_of_.size(); ++part) {
      const double begin = sum * static_cast<double>(part) / static_cast<double>(ends_.size());
      while (i + 1 < ends_.size() && ends_[i].place <= begin) ++i;
      first_of_[part] = static_cast<NodeIndex>(i);
    }
  }

  /// A place for a number from 0 up to 1, anywhere.
  double anywhere(double uniform) const { return uniform * length(); }
  /// Among the nodes of the class at `place`. Rounding must not lead out of it.
  double within(double uniform, double place) const {
    const auto [begin, end] = class_at(place);
    return std::min(begin + uniform * (end - begin), std::nextafter(end, 0.0));
  }
  /// Among the others.
  double across(double uniform, double place) const {
    const auto [begin, end] = class_at(place);
    const double among = uniform * (length() - (end - begin));
    return among < begin ? among : std::max(among + (end - begin), end);
  }

  /// The nodes at places. They lie far apart: memory is asked for all of them before the first is looked at.
  void find(std::span<const double> places, std::span<NodeIndex> nodes) const {
    for (std::size_t i = 0; i < places.size(); ++i) __builtin_prefetch(&first_of_[part_at(places[i])]);
    for (std::size_t i = 0; i < places.size(); ++i) __builtin_prefetch(&ends_[first_of_[part_at(places[i])]]);
    for (std::size_t i = 0; i < places.size(); ++i) nodes[i] = node_at(places[i]);
  }

 private:
  /// Where a node ends on the line.
  struct End {
    double place = 0.0;
    NodeIndex node = 0;
  };

  double length() const { return begin_.back(); }

  std::pair<double, double> class_at(double place) const {
    const auto end = std::upper_bound(begin_.begin() + 1, begin_.end() - 1, place);
    return {*(end - 1), *end};
  }

  std::size_t part_at(double place) const {
    const auto part = static_cast<std::size_t>(place / length() * static_cast<double>(ends_.size()));
    return std::min(part, ends_.size());
  }

  NodeIndex node_at(double place) const {
    std::size_t i = first_of_[part_at(place)];
    while (i > 0 && ends_[i - 1].place > place) --i;  // rounding may have begun behind it
    while (i + 1 < ends_.size() && ends_[i].place <= place) ++i;
    return ends_[i].node;
  }

  std::vector<End> ends_;            ///< [nodes] class after class
  std::vector<double> begin_;        ///< [classes + 1] places where classes begin, and where the line ends
  std::vector<NodeIndex> first_of_;  ///< [nodes + 1] places in ends_ where equal parts of the line begin
};

// An edge as one number: what is sorted.
std::uint64_t key_of(NodeIndex a, NodeIndex b) { return std::uint64_t{std::min(a, b)} << 32U | std::max(a, b); }
NodeIndex smaller(std::uint64_t key) { return static_cast<NodeIndex>(key >> 32U); }
NodeIndex larger(std::uint64_t key) { return static_cast<NodeIndex>(key); }

/// Edges of both kinds until there are as many different ones as wanted. What is drawn again keeps its kind, so that
/// the share of edges within a class is what was asked for.
class EdgeDraw {
 public:
  EdgeDraw(const std::vector<std::int32_t>& classes, std::uint64_t seed) : classes_(classes), seed_(seed) {}

  std::vector<std::uint64_t> draw(const EdgeCounts& wanted, const std::vector<double>& weights, std::size_t classes) {
    WeightedNodes nodes(classes_, weights, classes);
    std::vector<std::uint64_t> kept;
    kept.reserve(wanted.all());
    EdgeCounts missing = wanted;
    for (std::uint64_t round = 0; missing.all() > 0; ++round) {
      // Heavy nodes may have become neighbours of all others: what is left then is drawn without regard to weights, of
      // which every second draw is new.
      if (round == weighted_rounds) nodes = WeightedNodes(classes_, std::vector(weights.size(), 1.0), classes);
      std::vector<std::uint64_t> drawn = draw_once(missing, nodes, round);
      std::erase_if(drawn, [&kept](std::uint64_t key) { return std::ranges::binary_search(kept, key); });
      for (const std::uint64_t key : drawn) --(is_within(key) ? missing.within : missing.across);
      const auto middle = static_cast<std::ptrdiff_t>(kept.size());
      kept.insert(kept.end(), drawn.begin(), drawn.end());
      std::inplace_merge(kept.begin(), kept.begin() + middle, kept.end());
    }
    return kept;
  }

 private:
  static constexpr std::uint64_t weighted_rounds = 24;
  static constexpr std::size_t at_once = 256;

  bool is_within(std::uint64_t key) const { return classes_[smaller(key)] == classes_[larger(key)]; }

  std::vector<std::uint64_t> draw_once(const EdgeCounts& counts, const WeightedNodes& nodes,
                                       std::uint64_t round) const {
    Stream random(seed_, streams::community_edges(round));
    std::vector<std::uint64_t> drawn;
    drawn.reserve(counts.all());
    std::array<double, at_once> places{};
    std::array<NodeIndex, at_once> first{}, second{};
    for (std::uint64_t begin = 0; begin < counts.all(); begin += at_once) {
      heartbeat::beat();
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(at_once, counts.all() - begin));
      for (std::size_t i = 0; i < n; ++i) places[i] = nodes.anywhere(random.uniform());
      nodes.find(std::span(places).first(n), first);
      for (std::size_t i = 0; i < n; ++i) {
        const bool within = begin + i < counts.within;
        places[i] = within ? nodes.within(random.uniform(), places[i]) : nodes.across(random.uniform(), places[i]);
      }
      nodes.find(std::span(places).first(n), second);
      for (std::size_t i = 0; i < n; ++i) {
        if (first[i] != second[i]) drawn.push_back(key_of(first[i], second[i]));
      }
    }
    std::ranges::sort(drawn);
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
    return drawn;
  }

  const std::vector<std::int32_t>& classes_;
  std::uint64_t seed_;
};

std::vector<Edge> draw_edges(const scenario::CommunitySize& size, const std::vector<std::int32_t>& classes,
                             const std::vector<double>& weights, std::uint64_t seed) {
  const std::vector<std::uint64_t> keys = EdgeDraw(classes, seed).draw(counts_of(size), weights, size.classes());
  std::vector<Edge> edges;
  edges.reserve(keys.size());
  for (const std::uint64_t key : keys) edges.emplace_back(smaller(key), larger(key));
  return edges;
}

// A class' typical features are the part of all that its number gives it, at least one.
NodeFeatures draw_features(const scenario::CommunitySize& size, const std::vector<std::int32_t>& classes,
                           std::uint64_t seed) {
  NodeFeatures features;
  features.width = size.features();
  features.columns.reserve(std::size_t{size.nodes()} * size.features_per_node());
  std::vector<std::uint32_t> columns(size.features_per_node());
  for (std::size_t v = 0; v < classes.size(); ++v) {
    if (v % 65536 == 0) heartbeat::beat();
    Stream random(seed, streams::community_features(v));
    const auto c = static_cast<std::uint64_t>(classes[v]);
    const auto begin = static_cast<std::uint32_t>(c * size.features() / size.classes());
    const auto end = static_cast<std::uint32_t>((c + 1) * size.features() / size.classes());
    for (std::uint32_t& column : columns) {
      const bool typical = random.uniform() < size.signal();
      column = typical ? begin + random.below(std::max(end - begin, 1U)) : random.below(size.features());
    }
    std::ranges::sort(columns);
    std::ranges::unique_copy(columns, std::back_inserter(features.columns));
    features.offsets.push_back(features.columns.size());
  }
  return features;
}

std::vector<NodePart> draw_split(std::size_t nodes, std::uint64_t seed) {
  std::vector<NodeIndex> order(nodes);
  std::iota(order.begin(), order.end(), 0U);
  Stream(seed, streams::node_split()).shuffle(order);
  std::vector<NodePart> split(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    split[order[i]] = 5 * i < 3 * nodes ? NodePart::train : 5 * i < 4 * nodes ? NodePart::validation : NodePart::test;
  }
  return split;
}

GraphFile draw_communities(const scenario::Communities& config, const ReaderContext& context) {
  const scenario::CommunitySize size = size_of(config);
  check_size(size);
  Stream random(context.seed, streams::community_weights());
  GraphFile file;
  file.path = communities_field;
  file.nodes = size.nodes();
  file.labels = draw_classes(size, random);
  const std::vector<double> weights = draw_weights(size, random);
  file.edges = draw_edges(size, file.labels, weights, context.seed);
  file.features = draw_features(size, file.labels, context.seed);
  file.splits.push_back(draw_split(file.nodes, context.seed));
  for (std::uint32_t c = 0; c < size.classes(); ++c) file.class_names.push_back("community " + std::to_string(c));
  return file;
}

const RegisterGraph<scenario::Communities, draw_communities> register_communities;

}  // namespace
}  // namespace souk
