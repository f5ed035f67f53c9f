#include "attacks/update_attack.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Song et al., code of the benchmark: the bound on what mimicry can do, as it sees whom the rule would select.
class OracleBlend final : public CraftWith<Pool, Everyone, RuleAccess> {
 public:
  explicit OracleBlend(const scenario::OracleBlend& config) : alpha_(static_cast<float>(config.alpha())) {}

  Crafted craft(const View<Pool, Everyone, RuleAccess>& view) override {
    const Verdict verdict = view.rule.verdict(view.honest);
    std::vector<std::size_t> selected;
    for (const std::size_t row : view.benign) {
      if (verdict.weights[row] != 0.0) selected.push_back(row);
    }
    const auto found = static_cast<double>(selected.size());
    const ColumnMatrix winners = view.honest.select(view.comm, selected);
    const ColumnMatrix& from = selected.empty() ? view.known : winners;
    const ColumnVector centroid =
        combine(from, std::vector<double>(from.rows(), 1.0 / static_cast<double>(from.rows())));
    ColumnMatrixBuilder rows(view.comm, view.own.rows(), view.own.dimension());
    for (std::size_t i = 0; i < view.own.rows(); ++i) {
      const auto own = view.own.row(i);
      for (std::size_t c = 0; c < own.size(); ++c) {
        rows.row(i)[c] = alpha_ * own[c] + (1.0F - alpha_) * centroid.values()[c];
      }
    }
    return {std::move(rows).finish(), {{"benign_selected", found}}};
  }

 private:
  float alpha_;
};

const Register<UpdateAttack, OracleBlend, scenario::OracleBlend> registered;

}  // namespace
}  // namespace souk
