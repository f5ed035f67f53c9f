#include <algorithm>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Song et al., later code of the benchmark: a crowd on the far side of the center from its victim.
class Drowning final : public CraftWith<Pool, Everyone> {
 public:
  explicit Drowning(const scenario::Drowning& config)
      : victim_{config.victim()}, strength_(static_cast<float>(config.strength())) {}

  Crafted craft(const View<Pool, Everyone>& view) override {
    std::vector<std::size_t> others;
    std::optional<std::size_t> victim;
    for (const std::size_t row : view.benign) {
      if (view.agents[row] == victim_) {
        victim = row;
      } else {
        others.push_back(row);
      }
    }
    const ColumnMatrix rest = view.honest.select(view.comm, others);
    const ColumnMatrix& known = others.empty() ? view.own : rest;
    ColumnVector center = combine(known, std::vector<double>(known.rows(), 1.0 / static_cast<double>(known.rows())));
    if (victim) {
      const auto target = view.honest.row(*victim);
      for (std::size_t c = 0; c < target.size(); ++c) {
        center.values()[c] -= strength_ * (target[c] - center.values()[c]);
      }
    }
    return {copies_of(view.comm, view.own.dimension(), center, view.members.size()),
            {{"victim_present", victim ? 1.0 : 0.0}}};
  }

 private:
  AgentId victim_;
  float strength_;
};

const Register<UpdateAttack, Drowning, scenario::Drowning> register_drowning;

}  // namespace
}  // namespace souk
