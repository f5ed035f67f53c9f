#include <cmath>
#include <map>
#include <optional>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/agent_vectors.hpp"
#include "sim/params/hessian_history.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

constexpr std::size_t window = 10;  // FLDetector's default

/// Zhang, Cao, Jia, Gong, "FLDetector", KDD 2022, equation 6. The members predict themselves as the server does: from
/// their last submission and the Hessian that the changes of the global model tell of.
class FlDetectorAdaptive final : public CraftWith<Pool, Laboratory> {
 public:
  explicit FlDetectorAdaptive(const scenario::FlDetectorAdaptive& config) : lambda_(config.lambda()) {}

  bool needs_poison() const override { return true; }

  Crafted craft(const View<Pool, Laboratory>& view) override {
    const ColumnVector expected = hessian_.times(view.comm, view.own, view.change);
    std::vector<ColumnVector> predictions(view.members.size(), ColumnVector(view.own));
    std::vector<std::uint8_t> known;
    LabTraining training;
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      known.push_back(last_.has(view.members[i]) ? 1 : 0);
      if (known[i] != 0) predictions[i] = sum(last_.of(view.members[i], view.own), expected);
      training.anchors.push_back(&predictions[i]);
    }
    training.before_step = [this, &known](std::size_t who, const LabStep& at, std::span<float> gradient) {
      if (known[who] != 0) pull(at, at.anchors[who], gradient);
    };
    ColumnMatrix crafted = view.lab.train(view.members, training);
    for (std::size_t i = 0; i < view.members.size(); ++i) {
      std::ranges::copy(crafted.row(i), last_.of(view.members[i], view.own).values().begin());
    }
    return {std::move(crafted)};
  }

  void observe(const Published& published) override {
    if (published.agents.empty()) return;  // FLDetector does not see such rounds either
    if (last_change_) hessian_.add(*last_change_, difference(published.step, *last_change_));
    last_change_ = published.step;
    dimension_ = published.dimension;
  }

  void serialize(Archive& archive, const Comm& comm) override {
    auto dimension = static_cast<std::int64_t>(dimension_);
    archive.field("dimension", dimension);
    dimension_ = static_cast<std::size_t>(dimension);
    hessian_.serialize(archive, comm, dimension_);
    last_.serialize(archive, comm);
    auto kept = static_cast<std::int64_t>(last_change_ ? 1 : 0);
    archive.field("has change", kept);
    if (kept == 0) return;
    if (!last_change_) last_change_.emplace();
    serialize_columns(archive, "last change", comm, dimension_, *last_change_);
  }

 private:
  static ColumnVector sum(const ColumnVector& a, const ColumnVector& b) {
    ColumnVector result = a;
    for (std::size_t c = 0; c < result.values().size(); ++c) result.values()[c] += b.values()[c];
    return result;
  }

  /// lambda gradient + (1 - lambda) times the unit vector away from the prediction.
  void pull(const LabStep& at, std::span<const float> prediction, std::span<float> gradient) const {
    double square = 0.0;
    for (std::size_t v = 0; v < gradient.size(); ++v) {
      const double away = static_cast<double>(at.parameters[v] - at.global[v] - prediction[v]);
      square += away * away;
    }
    const double length = std::sqrt(square);
    const auto share = static_cast<float>(lambda_);
    const auto weight = static_cast<float>(length > 0.0 ? (1.0 - lambda_) / length : 0.0);
    for (std::size_t v = 0; v < gradient.size(); ++v) {
      const float away = at.parameters[v] - at.global[v] - prediction[v];
      gradient[v] = share * gradient[v] + weight * away;
    }
  }

  double lambda_;
  std::size_t dimension_ = 0;
  HessianHistory hessian_{window};
  AgentVectors last_;  ///< submissions
  std::optional<ColumnVector> last_change_;
};

const Register<UpdateAttack, FlDetectorAdaptive, scenario::FlDetectorAdaptive> register_fl_detector_adaptive;

}  // namespace
}  // namespace souk
