#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Song et al., later code of the benchmark: the bound on what mimicry can do, as it sees which of the benign updates
/// the rule would select by themselves.
class OracleBlend final : public CraftWith<Pool, Everyone, RuleAccess> {
 public:
  explicit OracleBlend(const scenario::OracleBlend& config) : alpha_(static_cast<float>(config.alpha())) {}

  void check() const override { SOUK_REQUIRE(alpha_ != 1.0F, "oracle_blend.alpha = 1: changes nothing"); }

  Crafted craft(const View<Pool, Everyone, RuleAccess>& view) override {
    const ProbeResult result = view.rule.probe(view.honest, view.benign);
    std::vector<std::size_t> selected;
    for (const std::size_t row : view.benign) {
      if (result.weights[row] != 0.0) selected.push_back(row);
    }
    if (selected.empty()) {
      return {.rows = copy_of(view.comm, view.own), .idle = "finds no benign update that the rule would select"};
    }
    const ColumnMatrix winners = view.honest.select(view.comm, selected);
    const auto found = static_cast<double>(selected.size());
    const ColumnVector centroid = combine(winners, std::vector<double>(selected.size(), 1.0 / found));
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

const Register<UpdateAttack, OracleBlend, scenario::OracleBlend> register_oracle_blend;

}  // namespace
}  // namespace souk
