#include "analysis/results/pair_summaries.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "sim/stats/ranking.hpp"
#include "sim/stats/ranks.hpp"

namespace souk {
namespace {

/// Of one attack.
struct Pairs {
  std::vector<double> scores;       ///< minus infinity where there is none
  std::vector<std::uint8_t> edges;  ///< 1 where it is one
};

std::vector<std::string> attacks_with_pairs(const Database& view) {
  std::vector<std::string> attacks;
  Statement row(view, "SELECT DISTINCT attack FROM source.pair ORDER BY attack");
  while (row.step()) attacks.push_back(row.text(0));
  return attacks;
}

Pairs pairs_of_attack(const Database& view, const std::string& attack) {
  Pairs pairs;
  Statement row(view, "SELECT score, edge FROM source.pair WHERE attack = ? ORDER BY target, candidate");
  row.bind_all(attack);
  while (row.step()) {
    pairs.scores.push_back(row.is_null(0) ? -std::numeric_limits<double>::infinity() : row.real(0));
    pairs.edges.push_back(row.integer(1) != 0 ? 1 : 0);
  }
  return pairs;
}

void insert_curve(Database& view, std::int64_t run, const std::string& attack, const std::string& curve,
                  const std::vector<CurvePoint>& points) {
  Statement insert(view, "INSERT INTO pair_curve VALUES(?,?,?,?,?,?)");
  for (std::size_t i = 0; i < points.size(); ++i) insert.run(run, attack, curve, i, points[i].x, points[i].y);
}

void insert_ranks(Database& view, std::int64_t run, const std::string& attack, const Pairs& pairs) {
  std::array<std::int64_t, rank_parts> edges{}, others{};
  const std::vector<double> ranks = average_ranks(pairs.scores, 0.0);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const double share =
        (ranks[i] - 0.5) / static_cast<double>(ranks.size());  // of the pairs that are below, in (0, 1)
    ++(pairs.edges[i] != 0 ? edges : others).at(static_cast<std::size_t>(share * rank_parts));
  }
  Statement insert(view, "INSERT INTO pair_rank VALUES(?,?,?,?,?)");
  for (std::size_t part = 0; part < rank_parts; ++part) insert.run(run, attack, part, edges[part], others[part]);
}

}  // namespace

void summarise_pairs(Database& view, std::int64_t run) {
  for (const std::string& attack : attacks_with_pairs(view)) {
    const Pairs pairs = pairs_of_attack(view, attack);
    const Ranking ranking(pairs.scores, pairs.edges);
    insert_curve(view, run, attack, "precision_recall", ranking.precision_recall_curve(most_curve_points));
    insert_curve(view, run, attack, "roc", ranking.roc_curve(most_curve_points));
    insert_ranks(view, run, attack, pairs);
  }
}

}  // namespace souk
