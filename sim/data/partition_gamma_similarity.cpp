#include <cmath>

#include "scenarios/partition.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Karimireddy et al., 2020: each client holds an even part of both, the samples dealt iid and those sorted by class.
class GammaSimilarityPartitioner final : public Partitioner {
 public:
  explicit GammaSimilarityPartitioner(const scenario::GammaSimilarity& config) : gamma_(config.gamma()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    const std::size_t n = input.labels.size();
    const auto iid = static_cast<std::size_t>(std::lround(gamma_ * static_cast<double>(n)));
    const std::vector<SampleIndex> order = random_order(n, random);
    std::vector<bool> is_sorted(n, true);
    for (std::size_t i = 0; i < iid; ++i) is_sorted[order[i]] = false;
    std::vector<SampleIndex> sorted = sorted_by_class(input, random);
    std::erase_if(sorted, [&is_sorted](SampleIndex s) { return !is_sorted[s]; });
    std::vector<std::uint32_t> owner(n);
    give_evenly(std::span(order).first(iid), input.agents, owner);
    give_evenly(sorted, input.agents, owner);
    return deal_by_owner(owner, input.agents);
  }

 private:
  double gamma_;
};

const Register<Partitioner, GammaSimilarityPartitioner, scenario::GammaSimilarity>
    register_gamma_similarity_partitioner;

}  // namespace
}  // namespace souk
