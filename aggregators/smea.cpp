#include "aggregators/affine.hpp"
#include "aggregators/rule_tools.hpp"
#include "aggregators/subset_search.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {
namespace {

/// Largest eigenvalue of the scatter of some points about their own mean. Adding a point never lowers it.
double scatter(const SymmetricMatrix& distances, std::span<const std::size_t> rows) {
  if (rows.size() < 2) return 0.0;
  return symmetric_eigen(gram_about_mean(among(distances, rows), uniform_weights(rows.size()))).values.front();
}

std::vector<std::size_t> nearest_scatter(const SymmetricMatrix& distances, std::size_t size) {
  return best_neighbourhood(distances, size,
                            [&](std::span<const std::size_t> rows) { return scatter(distances, rows); });
}

/// Depth-first over subsets in order of ids; a part whose scatter already exceeds the best whole is not completed.
class ScatterSearch {
 public:
  ScatterSearch(const SymmetricMatrix& distances, std::size_t size)
      : distances_(distances),
        size_(size),
        best_(nearest_scatter(distances, size)),
        best_scatter_(scatter(distances, best_)) {}

  std::vector<std::size_t> run() {
    extend(0);
    return best_;
  }

 private:
  void extend(std::size_t next) {
    heartbeat::beat();
    if (part_.size() == size_) {
      const double value = scatter(distances_, part_);
      if (value < best_scatter_) {
        best_scatter_ = value;
        best_ = part_;
      }
      return;
    }
    for (std::size_t i = next; i + (size_ - part_.size()) <= distances_.order; ++i) {
      part_.push_back(i);
      if (part_.size() == size_ || scatter(distances_, part_) < best_scatter_) extend(i + 1);
      part_.pop_back();
    }
  }
  const SymmetricMatrix& distances_;
  std::size_t size_;
  std::vector<std::size_t> part_, best_;
  double best_scatter_;
};

/// Allouah et al., "On the Privacy-Robustness-Utility Trilemma in Distributed Learning", ICML 2023, section 4.2.
class Smea final : public Aggregator {
 public:
  explicit Smea(const scenario::Smea& config)
      : f_("smea", config.f(), 2, 1), exact_(config.search() == scenario::EXACT), max_subsets_(config.max_subsets()) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }

  void check(const RoundSize& round) const override {
    f_.check(round);
    if (!exact_) return;
    require_few_subsets("smea", subsets(round.updates, f_.of(round.updates, round.tolerated_f, nullptr)), max_subsets_);
  }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + 4.0 * scale.pairs() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const SymmetricMatrix distances = squared_distances(input.comm, input.updates);
    const std::size_t size = distances.order - f_.of(input);
    return mean_of(input, exact_ ? ScatterSearch(distances, size).run() : nearest_scatter(distances, size));
  }

 private:
  ToleratedF f_;
  bool exact_;
  double max_subsets_;
};

const Register<Aggregator, Smea, scenario::Smea> register_smea;

}  // namespace
}  // namespace souk
