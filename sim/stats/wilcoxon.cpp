#include "sim/stats/wilcoxon.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/stats/normal_distribution.hpp"
#include "sim/stats/ranks.hpp"

namespace souk {
namespace {

constexpr std::size_t largest_exact = 25;

/// Ranks are halves at worst: counted in halves they are whole.
std::size_t in_halves(double rank_sum) { return static_cast<std::size_t>(std::llround(2.0 * rank_sum)); }

double exact_p(std::span<const double> ranks, double positive_sum) {
  // ways[s]: sign choices whose positive ranks add up to s halves, over the ranks so far
  std::vector<double> ways{1.0};
  for (const double rank : ranks) {
    const std::size_t step = in_halves(rank);
    ways.resize(ways.size() + step, 0.0);
    for (std::size_t s = ways.size(); s-- > step;) ways[s] += ways[s - step];
  }
  double lower = 0.0;
  double upper = 0.0;
  const std::size_t observed = in_halves(positive_sum);
  for (std::size_t s = 0; s < ways.size(); ++s) {
    if (s <= observed) lower += ways[s];
    if (s >= observed) upper += ways[s];
  }
  return std::min(1.0, 2.0 * std::min(lower, upper) / std::exp2(static_cast<double>(ranks.size())));
}

/// Sum over groups of equal ranks of t^3 - t, t being how many they are.
double tie_term(std::vector<double> ranks) {
  std::ranges::sort(ranks);
  double term = 0.0;
  for (auto first = ranks.begin(); first != ranks.end();) {
    const auto last = std::upper_bound(first, ranks.end(), *first);
    const auto t = static_cast<double>(last - first);
    term += t * t * t - t;
    first = last;
  }
  return term;
}

double normal_p(const std::vector<double>& ranks, double positive_sum) {
  const auto n = static_cast<double>(ranks.size());
  const double variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - tie_term(ranks) / 48.0;
  const double distance = std::fabs(positive_sum - n * (n + 1.0) / 4.0);
  const double z = std::max(0.0, distance - 0.5) / std::sqrt(variance);
  return 2.0 * normal_cdf(-z);
}

}  // namespace

Wilcoxon wilcoxon_signed_rank(std::span<const double> differences, double rounding) {
  std::vector<double> others;
  std::vector<double> magnitudes;
  for (const double difference : differences) {
    if (std::fabs(difference) <= rounding) continue;
    others.push_back(difference);
    magnitudes.push_back(std::fabs(difference));
  }
  Wilcoxon test{.count = others.size()};
  if (others.empty()) return test;
  const std::vector<double> ranks = average_ranks(magnitudes, rounding);
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (others[i] > 0.0) test.positive_sum += ranks[i];
  }
  test.exact = others.size() <= largest_exact;
  test.p = test.exact ? exact_p(ranks, test.positive_sum) : normal_p(ranks, test.positive_sum);
  return test;
}

}  // namespace souk
