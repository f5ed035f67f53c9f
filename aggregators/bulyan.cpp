#include <algorithm>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// El Mhamdi, Guerraoui, Rouault, "The Hidden Vulnerability of Distributed Learning in Byzantium", ICML 2018,
/// section 4. Krum is worked out anew for the shrunken set, f unchanged.
class Bulyan final : public Aggregator {
 public:
  explicit Bulyan(const scenario::Bulyan& config) : f_("bulyan", config.f(), 4, 3) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  /// The last choices are among so few that two updates are each other's only neighbour: the smaller id wins.
  RulePreserves preserves() const override { return {.permutation = false}; }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + 2.0 * scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::size_t f = f_.of(input);
    const std::vector<std::size_t> chosen = choose(squared_distances(input.comm, input.updates), n - 2 * f, f);
    const ColumnMatrix rows = input.updates.select(input.comm, chosen);
    return {.step = mean_near(rows, median_of_columns(rows), chosen.size() - 2 * f),
            .weights = weights_of(chosen, n),
            .scores = {},
            .diagnostics = {}};
  }

 private:
  static std::vector<std::size_t> choose(const SymmetricMatrix& distances, std::size_t count, std::size_t f) {
    std::vector<std::size_t> left = all_rows(distances.order);
    std::vector<std::size_t> chosen;
    while (chosen.size() < count) {
      const auto winner = static_cast<std::ptrdiff_t>(smallest(krum_scores(distances, left, f), 1).front());
      chosen.push_back(left[static_cast<std::size_t>(winner)]);
      left.erase(left.begin() + winner);
    }
    std::sort(chosen.begin(), chosen.end());
    return chosen;
  }
  ToleratedF f_;
};

const Register<Aggregator, Bulyan, scenario::Bulyan> register_bulyan;

}  // namespace
}  // namespace souk
