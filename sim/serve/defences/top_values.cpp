#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "scenarios/service.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/serve/answers.hpp"

namespace souk {
namespace {

class TopValues final : public AnswerDefence {
 public:
  explicit TopValues(const scenario::TopValues& config) : k_(config.k()) {}

  ValueRange range(const ValueRange& before) const override {
    return {std::min(before.low, 0.0), std::max(before.high, 0.0)};
  }
  void apply(std::span<double> values, Stream&) const override {
    // Of equal values the first are told.
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t c) { return values[c]; });
    for (std::size_t i = k_; i < order.size(); ++i) values[order[i]] = 0.0;
  }

 private:
  std::size_t k_;
};

const Register<AnswerDefence, TopValues, scenario::TopValues> register_top_values;

}  // namespace
}  // namespace souk
