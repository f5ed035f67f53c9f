#include <algorithm>
#include <cmath>

#include "aggregators/rule_tools.hpp"
#include "aggregators/subset_search.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Whether at most `budget` points can be left out so that no two of the others are farther apart than the diameter:
/// a vertex cover of the graph of pairs too far apart, by a search tree of depth `budget`.
class Separation {
 public:
  Separation(const SymmetricMatrix& distances, double diameter) : distances_(distances), diameter_(diameter) {}

  bool possible(std::vector<bool>& out, std::size_t budget) const {
    heartbeat::beat();
    std::size_t worst = 0, most = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t far = conflicts(i, out);
      if (far > most) {
        most = far;
        worst = i;
      }
    }
    if (most == 0) return true;
    if (budget == 0) return false;
    if (leave_out({worst}, out, budget)) return true;
    if (most > budget) return false;  // all its neighbours would have to go
    std::vector<std::size_t> neighbours;
    for (std::size_t j = 0; j < out.size(); ++j) {
      if (!out[j] && too_far(worst, j)) neighbours.push_back(j);
    }
    return leave_out(neighbours, out, budget);
  }

  bool too_far(std::size_t i, std::size_t j) const { return i != j && distances_(i, j) > diameter_; }

 private:
  std::size_t conflicts(std::size_t i, const std::vector<bool>& out) const {
    std::size_t count = 0;
    for (std::size_t j = 0; j < out.size() && !out[i]; ++j) count += !out[j] && too_far(i, j) ? 1 : 0;
    return count;
  }
  bool leave_out(const std::vector<std::size_t>& points, std::vector<bool>& out, std::size_t budget) const {
    std::vector<bool> fewer = out;
    for (const std::size_t point : points) fewer[point] = true;
    if (!possible(fewer, budget - points.size())) return false;
    out = fewer;
    return true;
  }
  const SymmetricMatrix& distances_;
  double diameter_;
};

/// The first subset of n - f points, in order of client ids, of the smallest diameter there is.
std::vector<std::size_t> smallest_diameter(const SymmetricMatrix& distances, std::size_t f) {
  const std::size_t n = distances.order;
  std::vector<double> diameters = distances.lower;
  std::sort(diameters.begin(), diameters.end());
  const auto best = std::partition_point(diameters.begin(), diameters.end(), [&](double diameter) {
    std::vector<bool> out(n, false);
    return !Separation(distances, diameter).possible(out, f);
  });
  const Separation separation(distances, *best);
  std::vector<bool> out(n, false);
  std::vector<std::size_t> kept;
  std::size_t budget = f;
  for (std::size_t i = 0; i < n && kept.size() < n - f; ++i) {
    if (out[i]) continue;
    std::vector<bool> trial = out;
    std::size_t gone = 0;
    for (std::size_t j = 0; j < n; ++j) {
      if (trial[j] || !separation.too_far(i, j)) continue;
      trial[j] = true;
      ++gone;
    }
    std::vector<bool> rest = trial;
    if (gone <= budget && separation.possible(rest, budget - gone)) {
      out = trial;
      budget -= gone;
      kept.push_back(i);
    } else {
      out[i] = true;
      --budget;
    }
  }
  return kept;
}

double squared_diameter(const SymmetricMatrix& distances, std::span<const std::size_t> rows) {
  double most = 0.0;
  for (const std::size_t i : rows) {
    for (const std::size_t j : rows) most = std::max(most, distances(i, j));
  }
  return most;
}

/// El Mhamdi, Guerraoui, Rouault, "Distributed Momentum for Byzantine-resilient Stochastic Gradient Descent", ICLR 2021
/// (Minimum Diameter Averaging). Ties go to the subset of smaller ids, so it is not wholly blind to their order.
class Mda final : public Aggregator {
 public:
  explicit Mda(const scenario::Mda& config)
      : f_("mda", config.f(), 2, 1), exact_(config.search() == scenario::EXACT), max_subsets_(config.max_subsets()) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  RulePreserves preserves() const override { return {.permutation = false}; }

  void check(const RoundSize& round) const override {
    f_.check(round);
    if (!exact_) return;
    const std::size_t f = f_.of(round.updates, round.tolerated_f, nullptr);
    require_few_subsets("mda", std::min(subsets(round.updates, f), std::exp2(static_cast<double>(f))), max_subsets_);
  }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + scale.pairs() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const SymmetricMatrix distances = squared_distances(input.comm, input.updates);
    const std::size_t f = f_.of(input);
    if (exact_) return mean_of(input, smallest_diameter(distances, f));
    return mean_of(input, best_neighbourhood(distances, distances.order - f, [&](std::span<const std::size_t> rows) {
                     return squared_diameter(distances, rows);
                   }));
  }

 private:
  ToleratedF f_;
  bool exact_;
  double max_subsets_;
};

const Register<Aggregator, Mda, scenario::Mda> register_mda;

}  // namespace
}  // namespace souk
