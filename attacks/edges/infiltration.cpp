#include <algorithm>
#include <array>

#include "attacks/edge_attack.hpp"
#include "attacks/edge_changes.hpp"
#include "attacks/vector_distances.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class Infiltration final : public TryWith<OwnNodes> {
 public:
  explicit Infiltration(const scenario::Infiltration& config) : features_(config.features()) {}

  bool approach(const View& view, NodeIndex target) override {
    beside_target_ = add_beside(view, features_, target);
    class_of_target_.reset();
    if (!beside_target_) return false;
    before_ = view.read_own(std::array{*beside_target_});
    class_of_target_ = static_cast<std::size_t>(std::ranges::max_element(before_) - before_.begin());
    return true;
  }
  double infer(const View& view, NodeIndex candidate) override {
    if (!add_beside(view, features_, candidate)) return no_score;
    view.wait();
    return norm(change(before_, view.read_own(std::array{*beside_target_}), 1.0));
  }
  std::optional<std::size_t> class_of_target() const override { return class_of_target_; }

 private:
  scenario::AddedFeatures features_;
  std::optional<NodeIndex> beside_target_;
  std::vector<double> before_;
  std::optional<std::size_t> class_of_target_;
};

const Register<EdgeAttack, Infiltration, scenario::Infiltration> register_infiltration;

}  // namespace
}  // namespace souk
