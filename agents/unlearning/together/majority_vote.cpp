#include <algorithm>
#include <vector>

#include "agents/unlearning/answer_weights.hpp"
#include "agents/unlearning/together.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// A vote of every model, and of the mean of their probabilities.
class ByMajorityVote final : public TogetherRule {
 public:
  explicit ByMajorityVote(const scenario::MajorityVote&) {}

  void check(const Task& task) const override {
    SOUK_REQUIRE(task.classes() > 0, "votes for classes, and the data set has numbers to predict: take mean_answer");
  }

  void answer(std::span<const float> said, std::size_t classes, std::span<float> out) const override {
    const std::size_t models = said.size() / out.size();
    const double share = 1.0 / static_cast<double>(models + 1);
    weighted_answer(said, std::vector<double>(models, share / static_cast<double>(models)), out);
    for (std::size_t first = 0; first < said.size(); first += classes) {
      const auto row = said.subspan(first, classes);
      const auto best = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
      out[first % out.size() + best] += static_cast<float>(share);
    }
  }
};

const Register<TogetherRule, ByMajorityVote, scenario::MajorityVote> register_by_majority_vote;

}  // namespace
}  // namespace souk
