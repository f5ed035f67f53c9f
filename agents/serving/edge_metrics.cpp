#include "agents/serving/edge_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <span>

#include "sim/base/heartbeat.hpp"
#include "sim/base/streams.hpp"
#include "sim/stats/bootstrap.hpp"
#include "sim/stats/ranking.hpp"

namespace souk {
namespace {

ScoredPair pair_of(const Graph& graph, NodeIndex target, NodeIndex candidate, double score) {
  const std::int32_t a = graph.labels[target], b = graph.labels[candidate];
  return {.target = target,
          .candidate = candidate,
          .score = score,
          .edge = is_edge(graph, target, candidate),
          .same_class = a >= 0 && a == b,
          .degree = std::min(true_degree(graph, target), true_degree(graph, candidate))};
}

/// Of two directions; no score where neither has one.
double larger(double a, double b) {
  if (std::isnan(a)) return b;
  return std::isnan(b) ? a : std::max(a, b);
}

std::vector<ScoredPair> both_directions(const AskedPairs& asked, const std::vector<std::vector<double>>& scores,
                                        const Graph& graph, bool one_direction) {
  std::vector<ScoredPair> pairs;
  for (std::size_t i = 0; i < asked.questions.size(); ++i) {
    for (std::size_t j = i + 1; j < asked.questions.size(); ++j) {
      // Candidates are all nodes but the target, ascending.
      const double of_earlier = scores[i][j - 1], of_later = scores[j][i];
      const double score = one_direction ? of_later : larger(of_earlier, of_later);
      ScoredPair pair = pair_of(graph, asked.questions[i].target, asked.questions[j].target, score);
      pair.first_cluster = static_cast<std::uint32_t>(i);
      pair.second_cluster = static_cast<std::uint32_t>(j);
      pairs.push_back(pair);
    }
  }
  return pairs;
}

/// Some pairs as a ranking.
struct Ranked {
  std::vector<double> scores;
  std::vector<std::uint8_t> truth;

  template <class Pairs, class Keep>
  static Ranked of(const Pairs& pairs, Keep keep) {
    Ranked ranked;
    for (const ScoredPair& pair : pairs) {
      if (!keep(pair)) continue;
      ranked.scores.push_back(pair.score);
      ranked.truth.push_back(pair.edge ? 1 : 0);
    }
    return ranked;
  }
  Ranking ranking() const { return {scores, truth}; }
  std::size_t edges() const { return static_cast<std::size_t>(std::ranges::count(truth, 1)); }
};

std::size_t taken(const EdgeCounting& counting, const Ranked& ranked) {
  if (counting.number) return *counting.number;
  if (!counting.times_true) return upper_cluster(ranked.scores);
  return static_cast<std::size_t>(std::ceil(*counting.times_true * static_cast<double>(ranked.edges())));
}

/// Of one attack; what is not defined is left out.
class Recorder {
 public:
  Recorder(const std::string& name, RoundRecord& record) : prefix_("edges." + name + "."), record_(record) {}
  void add(const char* name, std::optional<double> value) const {
    if (value && !std::isnan(*value)) record_.add(prefix_ + name, *value);
  }
  void add(const char* low, const char* high, const Interval& interval) const {
    add(low, interval.low);
    add(high, interval.high);
  }

 private:
  std::string prefix_;
  RoundRecord& record_;
};

/// How often each pair counts where clusters were drawn: of two clusters, the product.
class DrawnPairs {
 public:
  DrawnPairs(const std::vector<ScoredPair>& pairs, std::size_t clusters) : pairs_(pairs), drawn_(clusters) {
    counts_.resize(pairs.size());
  }
  std::span<const std::uint32_t> counts(std::span<const std::uint32_t> clusters) {
    heartbeat::beat();
    std::ranges::fill(drawn_, 0U);
    for (const std::uint32_t cluster : clusters) ++drawn_[cluster];
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      const ScoredPair& pair = pairs_[p];
      counts_[p] = drawn_[pair.first_cluster];
      if (pair.second_cluster != pair.first_cluster) counts_[p] *= drawn_[pair.second_cluster];
    }
    return counts_;
  }

 private:
  const std::vector<ScoredPair>& pairs_;
  std::vector<std::uint32_t> drawn_, counts_;
};

/// What it came to to take some pairs for edges; of equal scores, what is expected of a random order.
struct Hits {
  double hits = 0.0, taken = 0.0, edges = 0.0;
  Hits& operator+=(const Hits& more) {
    hits += more.hits, taken += more.taken, edges += more.edges;
    return *this;
  }
  double f1() const {
    return taken + edges > 0 ? 2.0 * hits / (taken + edges) : std::numeric_limits<double>::quiet_NaN();
  }
};

Hits hits_of(const EdgeCounting& counting, const Ranked& ranked, const Ranking& ranking) {
  const std::size_t k = std::min(taken(counting, ranked), ranking.size());
  const auto count = static_cast<double>(k);
  return {.hits = ranking.at(k, Ties::shared).precision.value_or(0.0) * count,
          .taken = count,
          .edges = static_cast<double>(ranked.edges())};
}

void record_hits(const Hits& hits, const Recorder& to) {
  if (hits.taken > 0) to.add("precision", hits.hits / hits.taken);
  if (hits.edges > 0) to.add("recall", hits.hits / hits.edges);
  to.add("f1", hits.f1());
}

std::uint32_t clusters_of(const std::vector<ScoredPair>& pairs) {
  std::uint32_t clusters = 0;
  for (const ScoredPair& pair : pairs) {
    clusters = std::max({clusters, pair.first_cluster + 1, pair.second_cluster + 1});
  }
  return clusters;
}

void record_auc_interval(const EdgeCounting& counting, const Ranking& ranking, const std::vector<ScoredPair>& pairs,
                         const Recorder& to) {
  DrawnPairs drawn(pairs, clusters_of(pairs));
  Stream draws(counting.seed, streams::edge_intervals(counting.attack));
  to.add("auc_low", "auc_high",
         bootstrap_of_clusters(clusters_of(pairs), counting.resamples, draws, [&](std::span<const std::uint32_t> of) {
           return ranking.area_under_roc(drawn.counts(of)).value_or(std::numeric_limits<double>::quiet_NaN());
         }));
}

/// Of all pairs together: who is taken for an edge, of equal scores the first, stays taken.
void record_f1_interval(const EdgeCounting& counting, const Ranked& ranked, const Ranking& ranking,
                        const std::vector<ScoredPair>& pairs, const Recorder& to) {
  DrawnPairs drawn(pairs, clusters_of(pairs));
  Stream draws(counting.seed, streams::edge_intervals(counting.attack));
  const auto order = ranking.order().first(std::min(taken(counting, ranked), ranking.size()));
  to.add("f1_low", "f1_high",
         bootstrap_of_clusters(clusters_of(pairs), counting.resamples, draws, [&](std::span<const std::uint32_t> of) {
           const auto counts = drawn.counts(of);
           Hits hits;
           for (const std::uint32_t p : order)
             hits += {.hits = counts[p] * 1.0 * ranked.truth[p], .taken = 1.0 * counts[p]};
           for (std::size_t p = 0; p < counts.size(); ++p) hits.edges += 1.0 * counts[p] * ranked.truth[p];
           return hits.f1();
         }));
}

void record_strata(const std::vector<ScoredPair>& pairs, const Recorder& to) {
  const auto auc = [&](auto keep) { return Ranked::of(pairs, keep).ranking().area_under_roc(); };
  to.add("auc_same_class", auc([](const ScoredPair& pair) { return pair.same_class; }));
  std::vector<std::size_t> degrees;
  for (const ScoredPair& pair : pairs) degrees.push_back(pair.degree);
  std::ranges::sort(degrees);
  const std::size_t first = degrees[degrees.size() / 3], second = degrees[2 * degrees.size() / 3];
  to.add("auc_degree_low", auc([&](const ScoredPair& pair) { return pair.degree < first; }));
  to.add("auc_degree_middle",
         auc([&](const ScoredPair& pair) { return pair.degree >= first && pair.degree < second; }));
  to.add("auc_degree_high", auc([&](const ScoredPair& pair) { return pair.degree >= second; }));
}

/// The numbers of lists, by name; a number that a list does not define is left out.
using ListNumbers = std::map<std::string, std::vector<double>>;

/// Adds a list's numbers; returns what it came to.
Hits count_list(const EdgeCounting& counting, std::span<const ScoredPair> pairs, ListNumbers& numbers) {
  heartbeat::beat();
  const Ranked list = Ranked::of(pairs, [](const auto&) { return true; });
  const Ranking ranking = list.ranking();
  const auto add = [&](const char* name, std::optional<double> value) {
    if (value && !std::isnan(*value)) numbers[name].push_back(*value);
  };
  const Hits hits = hits_of(counting, list, ranking);
  add("list_auc", ranking.area_under_roc());
  add("list_average_precision", ranking.average_precision());
  if (hits.taken > 0) add("list_precision", hits.hits / hits.taken);
  if (hits.edges > 0) add("list_recall", hits.hits / hits.edges);
  add("list_f1", hits.f1());
  return hits;
}

/// Means over lists, and the sums of what they came to.
void record_lists(const EdgeCounting& counting, const std::vector<ScoredPair>& pairs, const Recorder& to) {
  ListNumbers numbers;
  std::vector<Hits> of_lists;
  for (std::size_t first = 0, last = 0; first < pairs.size(); first = last) {
    while (last < pairs.size() && pairs[last].first_cluster == pairs[first].first_cluster) ++last;
    of_lists.push_back(count_list(counting, std::span(pairs).subspan(first, last - first), numbers));
  }
  const auto interval = [&](std::size_t lists, auto statistic) {
    Stream draws(counting.seed, streams::edge_intervals(counting.attack));
    return bootstrap_of_clusters(static_cast<std::uint32_t>(lists), counting.resamples, draws, statistic);
  };
  const auto sum_of = [&](auto lists) {
    heartbeat::beat();
    Hits sum;
    for (const auto list : lists) sum += of_lists[list];
    return sum;
  };
  std::vector<std::uint32_t> all(of_lists.size());
  std::iota(all.begin(), all.end(), 0U);
  record_hits(sum_of(all), to);
  to.add("f1_low", "f1_high",
         interval(of_lists.size(), [&](std::span<const std::uint32_t> drawn) { return sum_of(drawn).f1(); }));
  for (const auto& [name, values] : numbers) {
    to.add(name.c_str(), std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()));
  }
  const std::vector<double>& f1 = numbers["list_f1"];
  to.add("list_f1_low", "list_f1_high", interval(f1.size(), [&](std::span<const std::uint32_t> drawn) {
           double sum = 0.0;
           for (const std::uint32_t list : drawn) sum += f1[list];
           return sum / static_cast<double>(drawn.size());
         }));
}

}  // namespace

std::vector<ScoredPair> scored_pairs(const AskedPairs& asked, const std::vector<std::vector<double>>& scores,
                                     const Graph& graph, bool one_direction) {
  if (asked.kind == AskedPairs::Kind::all) return both_directions(asked, scores, graph, one_direction);
  std::vector<ScoredPair> pairs;
  for (std::size_t q = 0; q < asked.questions.size(); ++q) {
    const EdgeQuestion& question = asked.questions[q];
    for (std::size_t i = 0; i < question.candidates.size(); ++i) {
      ScoredPair pair = pair_of(graph, question.target, question.candidates[i], scores[q][i]);
      const std::size_t cluster = asked.kind == AskedPairs::Kind::lists ? q : pairs.size();
      pair.first_cluster = pair.second_cluster = static_cast<std::uint32_t>(cluster);
      pairs.push_back(pair);
    }
  }
  return pairs;
}

void record_edge_metrics(const EdgeCounting& counting, const AskedPairs& asked, const std::vector<ScoredPair>& pairs,
                         RoundRecord& record) {
  const Recorder to(counting.name, record);
  const auto scored = std::ranges::count_if(pairs, [](const ScoredPair& pair) { return !std::isnan(pair.score); });
  to.add("pairs", static_cast<double>(pairs.size()));
  to.add("pairs_scored", static_cast<double>(scored));
  if (scored == 0) return;
  const Ranked ranked = Ranked::of(pairs, [](const auto&) { return true; });
  const Ranking ranking = ranked.ranking();
  to.add("auc", ranking.area_under_roc());
  to.add("average_precision", ranking.average_precision());
  to.add("tpr_at_1pct_fpr", ranking.true_positive_rate_at(0.01));
  to.add("tpr_at_01pct_fpr", ranking.true_positive_rate_at(0.001));
  record_auc_interval(counting, ranking, pairs, to);
  record_strata(pairs, to);
  if (asked.kind == AskedPairs::Kind::lists) {
    record_lists(counting, pairs, to);
  } else {
    record_hits(hits_of(counting, ranked, ranking), to);
    record_f1_interval(counting, ranked, ranking, pairs, to);
  }
}

std::size_t upper_cluster(const std::vector<double>& scores) {
  std::vector<double> values;
  const bool positive = std::ranges::none_of(scores, [](double score) { return score < 0; });
  for (const double score : scores) {
    if (!std::isfinite(score) || (positive && score == 0)) continue;
    values.push_back(positive ? std::log(score) : score);
  }
  std::ranges::sort(values, std::greater<>());
  if (values.size() < 2) return values.size();
  // The split with the largest sum of squared sums over sizes has the least squares within.
  double all = 0.0, above = 0.0, best = -std::numeric_limits<double>::infinity();
  for (const double value : values) all += value;
  std::size_t split = values.size();
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    above += values[i];
    const auto upper = static_cast<double>(i + 1), lower = static_cast<double>(values.size()) - upper;
    const double between = above * above / upper + (all - above) * (all - above) / lower;
    if (between > best) best = between, split = i + 1;
  }
  return split;
}

}  // namespace souk
