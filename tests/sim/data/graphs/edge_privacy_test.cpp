#include "sim/data/graphs/edge_privacy.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include <gmock/gmock.h>

#include "sim/base/streams.hpp"
#include "sim/data/graphs/edge_noise.hpp"
#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::edge_privacy_test {
namespace {

using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace test;

scenario::GraphNodes edge_rand(double epsilon) {
  scenario::GraphNodes nodes;
  nodes.mutable_random();
  nodes.mutable_edge_rand()->set_epsilon(epsilon);
  return nodes;
}

scenario::GraphNodes lap_graph(double epsilon) {
  scenario::GraphNodes nodes;
  nodes.mutable_random();
  nodes.mutable_lap_graph()->set_epsilon(epsilon);
  return nodes;
}

/// Every node and those up to `reach` behind it, around a ring: reach * nodes edges.
std::vector<Edge> ring(NodeIndex nodes, NodeIndex reach) {
  std::vector<Edge> edges;
  for (NodeIndex v = 0; v < nodes; ++v) {
    for (NodeIndex step = 1; step <= reach; ++step) edges.push_back(std::minmax(v, (v + step) % nodes));
  }
  std::ranges::sort(edges);
  return edges;
}

std::vector<Edge> all_pairs(NodeIndex nodes) {
  std::vector<Edge> pairs;
  for (NodeIndex i = 0; i < nodes; ++i) {
    for (NodeIndex j = i + 1; j < nodes; ++j) pairs.emplace_back(i, j);
  }
  return pairs;
}

std::vector<Edge> perturbed(const scenario::GraphNodes& nodes, std::size_t count, const std::vector<Edge>& edges,
                            std::uint64_t seed, std::uint64_t part = 0) {
  Stream random(seed, streams::edge_noise(part));
  return make_edge_privacy(nodes)->perturb(count, edges, random);
}

bool is_edge_list(const std::vector<Edge>& edges, std::size_t nodes) {
  return std::ranges::adjacent_find(edges, std::ranges::greater_equal()) == edges.end() &&
         std::ranges::all_of(edges,
                             [nodes](const Edge& edge) { return edge.first < edge.second && edge.second < nodes; });
}

std::size_t common(const std::vector<Edge>& a, const std::vector<Edge>& b) {
  std::vector<Edge> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both.size();
}

// The definitions, pair by pair, as papers print them.

double reference_laplace(double scale, Stream& random) {
  const double sign = random.uniform() < 0.5 ? -1.0 : 1.0;
  return sign * scale * -std::log(1.0 - random.uniform());
}

std::vector<Edge> reference_edge_rand(NodeIndex nodes, const std::vector<Edge>& edges, double epsilon, Stream& random) {
  const double s = 2.0 / (std::exp(epsilon) + 1.0);
  std::vector<Edge> noisy;
  for (const Edge& pair : all_pairs(nodes)) {
    const bool replaced = random.uniform() < s;
    if (replaced ? random.uniform() < 0.5 : std::ranges::binary_search(edges, pair)) noisy.push_back(pair);
  }
  return noisy;
}

std::vector<Edge> reference_largest(NodeIndex nodes, const std::vector<Edge>& edges, std::size_t wanted, double epsilon,
                                    Stream& random) {
  std::vector<std::pair<double, Edge>> cells;
  for (const Edge& pair : all_pairs(nodes)) {
    const double before = std::ranges::binary_search(edges, pair) ? 1.0 : 0.0;
    cells.emplace_back(-(before + reference_laplace(1.0 / epsilon, random)), pair);
  }
  std::ranges::sort(cells);
  std::vector<Edge> largest;
  for (std::size_t i = 0; i < wanted; ++i) largest.push_back(cells[i].second);
  std::ranges::sort(largest);
  return largest;
}

std::vector<Edge> reference_lap_graph(NodeIndex nodes, const std::vector<Edge>& edges, double epsilon, Stream& random) {
  const double pairs = 0.5 * nodes * (nodes - 1.0);
  const double noisy = static_cast<double>(edges.size()) + reference_laplace(1.0 / (0.01 * epsilon), random);
  const auto wanted = static_cast<std::size_t>(std::clamp(std::round(noisy), 0.0, pairs));
  return reference_largest(nodes, edges, wanted, 0.99 * epsilon, random);
}

/// Exceeded by chance once in 100,000 times (Wilson and Hilferty, 1931).
double chi_squared_limit(double degrees) {
  const double variance = 2.0 / (9.0 * degrees);
  return degrees * std::pow(1.0 - variance + 4.265 * std::sqrt(variance), 3.0);
}

/// Many noisy graphs, counted: the i-th is drawn with seed i.
struct Tally {
  static constexpr NodeIndex nodes = 40;
  static constexpr std::uint64_t draws = 3000;
  using Draw = std::function<std::vector<Edge>(Stream&)>;

  Tally(const std::vector<Edge>& edges, std::uint64_t part, const Draw& draw) {
    for (std::uint64_t seed = 1; seed <= draws; ++seed) {
      Stream random(seed, streams::edge_noise(part));
      const std::vector<Edge> noisy = draw(random);
      EXPECT_TRUE(is_edge_list(noisy, nodes));
      ++of_size[noisy.size()];
      ++of_kept[common(noisy, edges)];
      for (const auto& [a, b] : noisy) ++of_pair[a * nodes + b];
    }
  }

  std::vector<double> of_size = std::vector<double>(nodes * nodes);  ///< graphs with so many edges
  std::vector<double> of_kept = std::vector<double>(nodes * nodes);  ///< graphs that kept so many
  std::vector<double> of_pair = std::vector<double>(nodes * nodes);  ///< graphs in which i * nodes + j is an edge
};

/// Whether two histograms of as many draws are of one distribution, by chi-squared over runs of bins of 20 draws or
/// more.
void expect_alike(const std::vector<double>& a, const std::vector<double>& b) {
  double statistic = 0.0, in_a = 0.0, in_b = 0.0;
  int runs = 0;
  for (std::size_t bin = 0; bin < a.size(); ++bin) {
    in_a += a[bin], in_b += b[bin];
    if (in_a + in_b < 20.0) continue;
    statistic += (in_a - in_b) * (in_a - in_b) / (in_a + in_b);
    in_a = in_b = 0.0;
    ++runs;
  }
  ASSERT_GT(runs, 4);
  EXPECT_LT(statistic, chi_squared_limit(runs - 1));
}

/// Whether pairs are edges as often in `a` as in `b`: the sum over all of their squared differences, of variance 1
/// each.
void expect_pairs_alike(const Tally& a, const Tally& b) {
  double statistic = 0.0, degrees = 0.0;
  for (std::size_t pair = 0; pair < a.of_pair.size(); ++pair) {
    const double share = (a.of_pair[pair] + b.of_pair[pair]) / (2.0 * Tally::draws);
    if (share == 0.0 || share == 1.0) continue;
    const double difference = a.of_pair[pair] - b.of_pair[pair];
    statistic += difference * difference / (2.0 * Tally::draws * share * (1.0 - share));
    ++degrees;
  }
  ASSERT_GT(degrees, 700.0);
  EXPECT_LT(statistic, chi_squared_limit(degrees));
}

TEST(PairDraw, draws_all_pairs_or_none) {
  for (const NodeIndex nodes : {0U, 1U, 2U, 3U, 17U}) {
    for (const double probability : {0.0, 1.0}) {
      Stream random(1, streams::edge_noise(0));
      PairDraw draw(nodes, probability, random);
      std::vector<Edge> drawn;
      while (const auto pair = draw.next()) drawn.push_back(*pair);
      EXPECT_EQ(drawn, probability == 0.0 ? std::vector<Edge>() : all_pairs(nodes)) << nodes;
      EXPECT_FALSE(draw.next().has_value());
    }
  }
}

TEST(PairDraw, is_even_over_all_pairs_of_many_nodes) {
  constexpr std::size_t nodes = 1'000'000, parts = 20;
  constexpr double probability = 2e-8, pairs = 0.5 * nodes * (nodes - 1.0);
  Stream random(1, streams::edge_noise(0));
  PairDraw draw(nodes, probability, random);
  std::vector<Edge> drawn;
  while (const auto pair = draw.next()) drawn.push_back(*pair);
  EXPECT_TRUE(is_edge_list(drawn, nodes));
  EXPECT_NEAR(static_cast<double>(drawn.size()), probability * pairs, 4.0 * std::sqrt(probability * pairs));

  std::vector<double> in_part(parts);
  for (const auto& [a, b] : drawn) {
    const double before = a * (nodes - 1.0) - 0.5 * a * (a - 1.0) + (b - a - 1.0);
    ++in_part[static_cast<std::size_t>(before / pairs * parts)];
  }
  double statistic = 0.0;
  const double expected = probability * pairs / parts;
  for (const double count : in_part) statistic += (count - expected) * (count - expected) / expected;
  EXPECT_LT(statistic, chi_squared_limit(parts));
}

TEST(EdgeRand, flips_edges_and_others_with_one_probability) {
  constexpr NodeIndex nodes = 2000;
  constexpr double epsilon = 4.0, pairs = 0.5 * nodes * (nodes - 1.0);
  constexpr std::uint64_t draws = 10;
  const std::vector<Edge> edges = ring(nodes, 10);
  double removed = 0.0, added = 0.0;
  for (std::uint64_t seed = 1; seed <= draws; ++seed) {
    const std::vector<Edge> noisy = perturbed(edge_rand(epsilon), nodes, edges, seed);
    const std::size_t kept = common(noisy, edges);
    removed += static_cast<double>(edges.size() - kept);
    added += static_cast<double>(noisy.size() - kept);
  }

  const double q = 1.0 / (std::exp(epsilon) + 1.0);
  const double edge_tosses = draws * static_cast<double>(edges.size()), other_tosses = draws * pairs - edge_tosses;
  EXPECT_NEAR(removed, edge_tosses * q, 4.0 * std::sqrt(edge_tosses * q * (1.0 - q)));
  EXPECT_NEAR(added, other_tosses * q, 4.0 * std::sqrt(other_tosses * q * (1.0 - q)));
}

TEST(EdgeRand, is_distributed_as_its_definition) {
  const std::vector<Edge> edges = ring(Tally::nodes, 3);
  for (const double epsilon : {0.3, 2.0}) {
    const auto privacy = make_edge_privacy(edge_rand(epsilon));
    const Tally sparse(edges, 0, [&](Stream& random) { return privacy->perturb(Tally::nodes, edges, random); });
    const Tally dense(edges, 1,
                      [&](Stream& random) { return reference_edge_rand(Tally::nodes, edges, epsilon, random); });

    expect_alike(sparse.of_size, dense.of_size);
    expect_alike(sparse.of_kept, dense.of_kept);
    expect_pairs_alike(sparse, dense);
  }
}

// Of a share of 0.001 the first draw has hardly a cell in it, and others must follow.
TEST(LargestCells, are_distributed_as_if_all_were_drawn) {
  constexpr std::size_t wanted = 20;
  constexpr double epsilon = 2.0;
  const std::vector<Edge> edges = ring(Tally::nodes, 1);
  const Tally dense(edges, 0,
                    [&](Stream& random) { return reference_largest(Tally::nodes, edges, wanted, epsilon, random); });
  const double enough = first_share(780.0 - 40.0, wanted);
  ASSERT_NEAR(enough, 80.0 / 740.0, 1e-12);

  for (const double share : {enough, 0.001, 1.0}) {
    SCOPED_TRACE(share);
    const Tally sparse(
        edges, 1, [&](Stream& random) { return largest_cells(Tally::nodes, edges, wanted, epsilon, share, random); });
    EXPECT_EQ(sparse.of_size[wanted], Tally::draws);
    expect_alike(sparse.of_kept, dense.of_kept);
    expect_pairs_alike(sparse, dense);
  }
}

TEST(LargestCells, may_be_all_or_none) {
  const std::vector<Edge> edges = ring(12, 2);
  for (const double share : {1.0, 0.3, 1e-9}) {
    Stream random(1, streams::edge_noise(0));
    EXPECT_EQ(largest_cells(12, edges, 66, 1.0, share, random), all_pairs(12));
    EXPECT_THAT(largest_cells(12, edges, 0, 1.0, share, random), IsEmpty());
  }
  EXPECT_EQ(first_share(800.0, 100.0), 1.0);  // half of them would just be enough
  EXPECT_EQ(first_share(0.0, 10.0), 1.0);
}

TEST(LapGraph, is_distributed_as_its_definition) {
  constexpr double epsilon = 5.0;
  const std::vector<Edge> edges = ring(Tally::nodes, 1);
  const auto privacy = make_edge_privacy(lap_graph(epsilon));
  const Tally sparse(edges, 0, [&](Stream& random) { return privacy->perturb(Tally::nodes, edges, random); });
  const Tally dense(edges, 1,
                    [&](Stream& random) { return reference_lap_graph(Tally::nodes, edges, epsilon, random); });

  expect_alike(sparse.of_size, dense.of_size);
  expect_alike(sparse.of_kept, dense.of_kept);
  // Both ways to draw were taken: all cells from 740 / 8 edges on, else some.
  EXPECT_GT(std::accumulate(sparse.of_size.begin() + 93, sparse.of_size.end(), 0.0), 50.0);
  EXPECT_GT(std::accumulate(sparse.of_size.begin() + 1, sparse.of_size.begin() + 93, 0.0), 2000.0);
}

TEST(LapGraph, has_as_many_edges_give_or_take_noise) {
  constexpr double draws = 5000.0, scale = 1.0 / (0.01 * 20.0);
  const std::vector<Edge> edges = ring(40, 5);
  double sum = 0.0, squares = 0.0;
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    const double more = static_cast<double>(perturbed(lap_graph(20.0), 40, edges, seed).size()) - 200.0;
    sum += more, squares += more * more;
  }

  // Four standard deviations. Rounding adds the variance of a uniform number; that of a Laplace variable's sample
  // variance is five times its square, by the number of draws.
  const double mean = sum / draws, variance = squares / draws - mean * mean, expected = 2.0 * scale * scale + 1.0 / 12;
  EXPECT_NEAR(mean, 0.0, 4.0 * std::sqrt(expected / draws));
  EXPECT_NEAR(variance, expected, 4.0 * expected * std::sqrt(5.0 / draws));
}

TEST(LapGraph, spends_a_hundredth_of_epsilon_on_the_number_of_edges) {
  const std::vector<Edge> edges = ring(40, 2);
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Stream random(seed, streams::edge_noise(0));
    const double wanted = std::max(0.0, std::round(80.0 + laplace(random) / 0.06));
    ASSERT_LE(wanted, 780.0);
    EXPECT_EQ(perturbed(lap_graph(6.0), 40, edges, seed),
              largest_cells(40, edges, static_cast<std::uint64_t>(wanted), 5.94, first_share(700.0, wanted), random));
  }
}

TEST(EdgePrivacy, is_none_unless_chosen) {
  scenario::GraphNodes nodes;
  EXPECT_EQ(make_edge_privacy(nodes), nullptr);
}

TEST(EdgePrivacy, gives_the_same_bits_twice) {
  const std::vector<Edge> edges = ring(500, 3);
  for (const scenario::GraphNodes& nodes : {edge_rand(5.0), lap_graph(5.0)}) {
    const std::vector<Edge> noisy = perturbed(nodes, 500, edges, 1);
    EXPECT_EQ(perturbed(nodes, 500, edges, 1), noisy);
    EXPECT_NE(perturbed(nodes, 500, edges, 2), noisy);
    EXPECT_NE(perturbed(nodes, 500, edges, 1, 1), noisy);
  }
}

TEST(EdgePrivacy, gives_edges_of_any_graph) {
  for (const NodeIndex nodes : {0U, 1U, 2U, 3U, 30U}) {
    for (const std::vector<Edge>& edges : {std::vector<Edge>(), all_pairs(nodes)}) {
      for (const double epsilon : {1e-9, 0.1, 3.0, 1000.0}) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
          EXPECT_TRUE(is_edge_list(perturbed(edge_rand(epsilon), nodes, edges, seed), nodes));
          EXPECT_TRUE(is_edge_list(perturbed(lap_graph(epsilon), nodes, edges, seed), nodes));
        }
      }
    }
  }
}

TEST(EdgePrivacy, changes_nothing_where_epsilon_is_huge) {
  const std::vector<Edge> edges = ring(300, 4);
  EXPECT_EQ(perturbed(edge_rand(1000.0), 300, edges, 1), edges);
  EXPECT_EQ(perturbed(lap_graph(1000.0), 300, edges, 1), edges);
}

TEST(EdgePrivacy, refuses_noise_on_more_pairs_than_can_be_drawn) {
  const std::vector<Edge> edges = ring(1'000'000, 1);
  EXPECT_THAT(input_error([&] { perturbed(edge_rand(0.5), 1'000'000, edges, 1); }),
              HasSubstr("task.data: graph.edge_rand.epsilon = 0.5: noise on the pairs of 1000000 nodes would keep "
                        "1.89e+11 of them, and at most 2.15e+09 can be"));
  // Half of the draws want fewer edges than none, and get none.
  std::string refusal;
  for (std::uint64_t seed = 1; seed <= 20 && refusal.empty(); ++seed) {
    refusal = input_error([&] { perturbed(lap_graph(1e-9), 1'000'000, edges, seed); });
  }
  EXPECT_THAT(refusal, HasSubstr("task.data: graph.lap_graph.epsilon = 1e-09: noise on the pairs of 1000000 nodes"));
}

/// A graph with so many nodes, of two classes.
GraphFile file_of(std::size_t nodes, std::vector<Edge> edges) {
  GraphFile file;
  file.path = "graph";
  file.nodes = nodes;
  file.edges = std::move(edges);
  file.features.offsets.assign(nodes + 1, 0);
  file.class_names = {"a", "b"};
  for (std::size_t v = 0; v < nodes; ++v) file.labels.push_back(static_cast<std::int32_t>(v % 2));
  return file;
}

StoredGraph read_graph(GraphFile file, scenario::GraphNodes nodes, std::uint64_t seed = 1) {
  nodes.set_features(scenario::GraphNodes::DEGREE);
  return *make_graph_reader(std::move(file), nodes, {.seed = seed})->graph();
}

TEST(PrivateGraphs, keep_the_true_edges_and_have_features_of_the_noisy_ones) {
  const std::vector<Edge> edges = ring(60, 2);
  scenario::GraphNodes nodes = edge_rand(2.0);
  const StoredGraph noisy = read_graph(file_of(60, edges), nodes);
  nodes.clear_edge_privacy();
  const StoredGraph plain = read_graph(file_of(60, edges), nodes);

  EXPECT_EQ(edges_of(noisy), perturbed(edge_rand(2.0), 60, edges, 1));
  EXPECT_NE(noisy.neighbours, plain.neighbours);
  EXPECT_EQ(noisy.true_edge_offsets, plain.edge_offsets);
  EXPECT_EQ(noisy.true_neighbours, plain.neighbours);
  EXPECT_TRUE(noisy.shape().noisy_edges);
  EXPECT_EQ(noisy.shape().true_edge_entries, 240U);
  EXPECT_EQ(noisy.shape().edge_entries, noisy.neighbours.size());
  EXPECT_EQ(noisy.train_nodes, plain.train_nodes);
  for (std::size_t v = 0; v < 60; ++v) {
    EXPECT_EQ(noisy.features.columns[v], noisy.edge_offsets[v + 1] - noisy.edge_offsets[v]);
    const auto row =
        std::span(noisy.neighbours).subspan(noisy.edge_offsets[v], noisy.edge_offsets[v + 1] - noisy.edge_offsets[v]);
    EXPECT_TRUE(std::ranges::is_sorted(row));
  }
  EXPECT_FALSE(plain.shape().noisy_edges);
  EXPECT_THAT(plain.true_edge_offsets, IsEmpty());
}

TEST(PrivateGraphs, may_be_without_true_edges) {
  const StoredGraph graph = read_graph(file_of(30, {}), edge_rand(1.0));
  EXPECT_THAT(graph.neighbours, SizeIs(Gt(50U)));
  EXPECT_TRUE(graph.shape().noisy_edges);
  EXPECT_THAT(graph.true_edge_offsets, SizeIs(31));
  EXPECT_THAT(graph.true_neighbours, IsEmpty());
}

TEST(PrivateGraphs, that_no_edge_joins_are_perturbed_one_by_one) {
  const std::vector<Edge> first = ring(20, 2), second = ring(50, 3);
  std::vector<Edge> both = first;
  for (const auto& [a, b] : second) both.emplace_back(a + 20, b + 20);
  GraphFile file = file_of(70, both);
  file.graph_ends = {20, 70};
  for (const scenario::GraphNodes& nodes : {edge_rand(0.5), lap_graph(1.0)}) {
    std::vector<Edge> expected = perturbed(nodes, 20, first, 7, 0);
    for (const auto& [a, b] : perturbed(nodes, 50, second, 7, 1)) expected.emplace_back(a + 20, b + 20);
    EXPECT_EQ(edges_of(read_graph(file, nodes, 7)), expected);
  }
}

}  // namespace
}  // namespace souk::edge_privacy_test
