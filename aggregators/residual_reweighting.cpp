#include <algorithm>

#include "aggregators/residual_fit.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// What is left of the updates, and what they are worth.
struct Restricted {
  ColumnMatrix updates;            ///< [n, d]: values of little weight are replaced by those of their lines
  std::vector<double> confidence;  ///< [n] sum over the coordinates
};

/// Fu, Xie, Li, Chen, "Attack-Resistant Federated Learning with Residual-based Reweighting", 2019, section 3, with the
/// restricted values of the authors' code. Holds a second copy of the updates.
class ResidualReweighting final : public Aggregator {
 public:
  explicit ResidualReweighting(const scenario::ResidualReweighting& config)
      : lambda_(config.lambda()), delta_(config.delta()) {}

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = static_cast<double>(scale.updates + 1) * scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    if (n < 3) return mean_of(input, all_rows(n));  // the line goes through all values
    const Restricted restricted = restrict(input);
    const double largest = *std::max_element(restricted.confidence.begin(), restricted.confidence.end());
    std::vector<double> coefficients;
    for (const double confidence : restricted.confidence) {
      const double share = largest > 0.0 ? confidence / largest : 1.0;  // 0: all weights of each coordinate are alike
      coefficients.push_back(share * share);
    }
    std::vector<double> weights = shares_of(coefficients);
    return {.step = combine(restricted.updates, weights),
            .weights = std::move(weights),
            .scores = std::move(coefficients),
            .diagnostics = {}};
  }

 private:
  Restricted restrict(const RuleInput& input) const {
    const std::size_t n = input.updates.rows();
    ColumnMatrixBuilder kept(input.comm, n, input.updates.dimension());
    ResidualFit fit(n, lambda_);
    std::vector<double> confidence(input.updates.panels().size() * n, 0.0);
    double* of_panel = confidence.data();
    for (const Panel& panel : input.updates.panels()) {
      for (std::size_t begin = 0; begin < panel.columns.size(); begin += fit_columns) {
        add(panel, {begin, std::min(begin + fit_columns, panel.columns.size())}, fit, kept, of_panel);
      }
      of_panel += n;
    }
    return {std::move(kept).finish(), sum_over_panels(input.comm, input.updates.plan(), confidence, n)};
  }

  void add(const Panel& panel, ColumnRange columns, ResidualFit& fit, ColumnMatrixBuilder& kept,
           double* confidence) const {
    const std::size_t n = panel.row_starts.size();
    std::fill(fit.values().begin(), fit.values().end(), 0.0F);
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(panel.row(i).data() + columns.begin, columns.size(), fit.values().data() + i * fit_columns);
    }
    fit.fit();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const double deviation = fit.deviation(c);
      for (std::size_t i = 0; i < n; ++i) {
        const double weight = fit.weight(i, c);
        const std::size_t column = columns.begin + c;
        confidence[i] += weight * deviation;
        kept.row(i)[panel.offset + column] =
            weight < delta_ ? static_cast<float>(fit.on_line(i, c)) : panel.row(i)[column];
      }
    }
  }

  double lambda_, delta_;
};

const Register<Aggregator, ResidualReweighting, scenario::ResidualReweighting> register_residual_reweighting;

}  // namespace
}  // namespace souk
