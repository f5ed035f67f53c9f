#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "scenarios/partition.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Samples of each class that are still to be dealt, taken from the back.
class Pools {
 public:
  explicit Pools(std::vector<std::vector<SampleIndex>> classes) : classes_(std::move(classes)) {}

  // Zeroes the weights of empty classes; if nothing is left, weighs the classes by what they still hold.
  void restrict_to_present(std::vector<double>& weights) const {
    for (std::size_t c = 0; c < classes_.size(); ++c) weights[c] = classes_[c].empty() ? 0.0 : weights[c];
    if (std::accumulate(weights.begin(), weights.end(), 0.0) > 0.0) return;
    for (std::size_t c = 0; c < classes_.size(); ++c) weights[c] = static_cast<double>(classes_[c].size());
  }
  bool empty(std::size_t c) const { return classes_[c].empty(); }
  SampleIndex take(std::size_t c) {
    const SampleIndex sample = classes_[c].back();
    classes_[c].pop_back();
    return sample;
  }

 private:
  std::vector<std::vector<SampleIndex>> classes_;
};

// Index of the first cumulated weight above `at`; `at` is below the last one.
std::size_t pick(const std::vector<double>& cumulated, double at) {
  const auto found = std::upper_bound(cumulated.begin(), cumulated.end(), at);
  return static_cast<std::size_t>(found - cumulated.begin());
}

// Hsu et al., 2019, by client: q_i ~ Dir(alpha p), p the class shares of the data set; client i draws its samples one
// by one from q_i, without replacement, renormalised when a class runs out.
class BalancedDirichletPartitioner final : public Partitioner {
 public:
  explicit BalancedDirichletPartitioner(const scenario::BalancedDirichlet& config) : alpha_(config.alpha()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    auto classes = shuffled_classes(input, random);
    const std::size_t n = input.labels.size();
    std::vector<double> alphas, weights(classes.size()), cumulated(classes.size());
    for (const auto& samples : classes) {
      alphas.push_back(alpha_ * static_cast<double>(samples.size()) / static_cast<double>(n));
    }
    Pools pools(std::move(classes));
    std::vector<std::uint32_t> owner(n);
    for (std::size_t agent = 0; agent < input.agents; ++agent) {
      random.dirichlet(alphas, weights);
      bool stale = true;  // whether a class ran out since the weights were cumulated
      for (std::size_t i = even_cut(n, input.agents, agent); i < even_cut(n, input.agents, agent + 1); ++i) {
        if (stale) {
          pools.restrict_to_present(weights);
          std::partial_sum(weights.begin(), weights.end(), cumulated.begin());
        }
        // uniform() < 1, but the product may round up to the whole: then the last class with a weight.
        const double at = std::min(random.uniform() * cumulated.back(), below(cumulated.back()));
        const std::size_t c = pick(cumulated, at);
        owner[pools.take(c)] = static_cast<std::uint32_t>(agent);
        stale = pools.empty(c);
      }
    }
    return deal_by_owner(owner, input.agents);
  }

 private:
  static double below(double value) { return std::nextafter(value, 0.0); }

  double alpha_;
};

const Register<Partitioner, BalancedDirichletPartitioner, scenario::BalancedDirichlet>
    register_balanced_dirichlet_partitioner;

}  // namespace
}  // namespace souk
