#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "scenarios/partition.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Positive numbers with P(x > t) = t^-exponent, up to a common factor: their logarithms are exponential, and taking the
// largest away keeps heavy tails finite. Exponent 0: all equal.
std::vector<double> pareto_weights(std::size_t n, double exponent, Stream& random) {
  std::vector<double> weights(n, 1.0);
  if (exponent == 0.0) return weights;
  for (double& weight : weights) weight = -std::log(1.0 - random.uniform()) / exponent;
  const double largest = *std::max_element(weights.begin(), weights.end());
  for (double& weight : weights) weight = std::exp(weight - largest);
  return weights;
}

// Whole sizes that add up to `total`, in proportion to the weights, but one at least where the total allows it: what
// exceeds one is apportioned.
std::vector<std::size_t> sizes_of(std::size_t total, std::vector<double> weights) {
  const std::size_t n = weights.size();
  if (total < n) return apportion(total, weights);
  const double scale = static_cast<double>(total) / std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight = std::max(0.0, weight * scale - 1.0);
  std::vector<std::size_t> sizes(n, 1);
  if (total == n) return sizes;
  const std::vector<std::size_t> excess = apportion(total - n, weights);
  for (std::size_t i = 0; i < n; ++i) sizes[i] += excess[i];
  return sizes;
}

// Li et al., 2023. Biased clients are served first, from two heaps of samples; the others share what is left.
class HalfClassesPartitioner final : public Partitioner {
 public:
  explicit HalfClassesPartitioner(const scenario::HalfClasses& config)
      : biased_(config.biased()), dominance_(config.dominance()), size_exponent_(config.size_exponent()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    const std::vector<std::size_t> sizes =
        sizes_of(input.labels.size(), pareto_weights(input.agents, size_exponent_, random));
    const auto biased = static_cast<std::size_t>(std::lround(biased_ * static_cast<double>(input.agents)));
    std::array<std::vector<SampleIndex>, 2> halves = split(input, random);
    std::vector<std::uint32_t> owner(input.labels.size(), no_owner);
    for (std::size_t agent = 0; agent < biased; ++agent) {
      auto& own = halves[agent % 2];
      auto& other = halves[1 - agent % 2];
      auto of_own = static_cast<std::size_t>(std::lround(dominance_ * static_cast<double>(sizes[agent])));
      of_own = std::clamp(of_own, sizes[agent] - std::min(sizes[agent], other.size()), own.size());
      give(own, of_own, agent, owner);
      give(other, sizes[agent] - of_own, agent, owner);
    }
    std::vector<SampleIndex> rest = std::move(halves[0]);
    rest.insert(rest.end(), halves[1].begin(), halves[1].end());
    random.shuffle(rest);
    for (std::size_t agent = biased; agent < sizes.size(); ++agent) give(rest, sizes[agent], agent, owner);
    return deal_by_owner(owner, input.agents);
  }

 private:
  static std::array<std::vector<SampleIndex>, 2> split(const DealInput& input, Stream& random) {
    std::array<std::vector<SampleIndex>, 2> halves;
    for (const SampleIndex sample : random_order(input.labels.size(), random)) {
      halves[input.labels[sample] < first_half(input.classes) ? 0 : 1].push_back(sample);
    }
    return halves;
  }

  // From the back of `samples`.
  static void give(std::vector<SampleIndex>& samples, std::size_t count, std::size_t agent,
                   std::vector<std::uint32_t>& owner) {
    for (std::size_t i = samples.size() - count; i < samples.size(); ++i) {
      owner[samples[i]] = static_cast<std::uint32_t>(agent);
    }
    samples.resize(samples.size() - count);
  }

  double biased_;
  double dominance_;
  double size_exponent_;
};

const Register<Partitioner, HalfClassesPartitioner, scenario::HalfClasses> register_half_classes_partitioner;

}  // namespace
}  // namespace souk
