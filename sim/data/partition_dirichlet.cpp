#include <algorithm>

#include "scenarios/partition.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Hsu et al., 2019, by class: p_c ~ Dir(alpha 1) over the agents cuts the shuffled samples of class c.
class DirichletPartitioner final : public Partitioner {
 public:
  explicit DirichletPartitioner(const scenario::Dirichlet& config) : alpha_(config.alpha()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    std::vector<std::uint32_t> owner(input.labels.size(), no_owner);
    const std::vector<double> alphas(input.agents, alpha_);
    std::vector<double> proportions(input.agents);
    for (const auto& samples : shuffled_classes(input, random)) {
      if (samples.empty()) continue;
      random.dirichlet(alphas, proportions);
      const double n = static_cast<double>(samples.size());
      double cumulated = 0.0;
      std::size_t begin = 0;
      for (std::size_t agent = 0; agent < input.agents; ++agent) {
        cumulated += proportions[agent];
        const bool last = agent + 1 == input.agents;
        const std::size_t cut = last ? samples.size() : static_cast<std::size_t>(std::min(cumulated, 1.0) * n);
        for (; begin < cut; ++begin) owner[samples[begin]] = static_cast<std::uint32_t>(agent);
      }
    }
    return deal_by_owner(owner, input.agents);
  }

 private:
  double alpha_;
};

const Register<Partitioner, DirichletPartitioner, scenario::Dirichlet> register_dirichlet_partitioner;

}  // namespace
}  // namespace souk
