#include <algorithm>
#include <numeric>

#include "aggregators/pre/pre_aggregator.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

/// Karimireddy, He, Jaggi, "Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing", ICLR 2022, Algorithm 1.
class BucketingStage final : public PreAggregator {
 public:
  explicit BucketingStage(const scenario::Bucketing& config) : size_(config.size()) {}

  RulePreserves preserves() const override { return {.permutation = size_ == 1}; }
  bool keeps_agents() const override { return size_ == 1; }
  RoundSize check(const RoundSize& round) const override { return {buckets(round.updates), round.tolerated_f}; }

  std::vector<double> mix(const PreInput& input) const override {
    const std::size_t n = input.updates();
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    if (size_ > 1) input.random.shuffle(order);
    std::vector<std::vector<std::size_t>> rows;
    for (std::size_t k = 0; k < buckets(n); ++k) {
      const std::size_t end = std::min(n, (k + 1) * size_);
      rows.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(k * size_),
                        order.begin() + static_cast<std::ptrdiff_t>(end));
    }
    // The rule is promised rows in the order of their smallest ids.
    std::ranges::sort(rows, {}, [](const auto& members) { return *std::ranges::min_element(members); });
    std::vector<double> coefficients;
    for (const std::vector<std::size_t>& members : rows) {
      const std::vector<double> row = weights_of(members, n);
      coefficients.insert(coefficients.end(), row.begin(), row.end());
    }
    return coefficients;
  }

 private:
  std::size_t buckets(std::size_t n) const { return (n + size_ - 1) / size_; }
  std::size_t size_;
};

const Register<PreAggregator, BucketingStage, scenario::Bucketing> register_bucketing_stage;

}  // namespace
}  // namespace souk
