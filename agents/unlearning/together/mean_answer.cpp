#include "agents/unlearning/answer_weights.hpp"
#include "agents/unlearning/together.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// The mean of all answers.
class ByMeanAnswer final : public TogetherRule {
 public:
  explicit ByMeanAnswer(const scenario::MeanAnswer&) {}

  void answer(std::span<const float> said, std::size_t, std::span<float> out) const override {
    const std::size_t models = said.size() / out.size();
    weighted_answer(said, std::vector<double>(models, 1.0 / static_cast<double>(models)), out);
  }
};

const Register<TogetherRule, ByMeanAnswer, scenario::MeanAnswer> register_by_mean_answer;

}  // namespace
}  // namespace souk
