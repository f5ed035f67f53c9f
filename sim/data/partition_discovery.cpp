#include <algorithm>
#include <vector>

#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Song et al., 2025: sellers whose data resemble the buyer's more or less. Clients are served in random order, because
// the last ones get what the others left: otherwise a client's number would say how good its data are.
class DiscoveryPartitioner final : public Partitioner {
 public:
  explicit DiscoveryPartitioner(const scenario::Discovery& config) : noise_(config.noise()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    std::vector<std::vector<SampleIndex>> classes = shuffled_classes(input, random);
    std::vector<std::size_t> left;
    for (const auto& samples : classes) left.push_back(samples.size());
    const std::vector<double> buyer = proportions(input, left);
    const std::size_t n = input.labels.size();
    std::vector<double> shares(buyer.size());
    std::vector<std::uint32_t> owner(n, no_owner);
    for (const std::uint32_t agent : random_order(input.agents, random)) {
      for (std::size_t c = 0; c < shares.size(); ++c) {
        shares[c] = std::max(0.0, buyer[c] * (1.0 + noise_ * (2.0 * random.uniform() - 1.0)));
      }
      const std::size_t size = even_cut(n, input.agents, agent + 1) - even_cut(n, input.agents, agent);
      const std::vector<std::size_t> counts = apportion_within(size, shares, left);
      for (std::size_t c = 0; c < counts.size(); ++c) {
        for (std::size_t i = 0; i < counts[c]; ++i) owner[classes[c][--left[c]]] = agent;
      }
    }
    return deal_by_owner(owner, input.agents);
  }

 private:
  // Of the root data, or, where there are none, of the samples themselves.
  static std::vector<double> proportions(const DealInput& input, const std::vector<std::size_t>& counts) {
    if (input.reference.empty()) return {counts.begin(), counts.end()};
    SOUK_EXPECT(input.reference.size() == counts.size());
    return {input.reference.begin(), input.reference.end()};
  }

  double noise_;
};

const Register<Partitioner, DiscoveryPartitioner, scenario::Discovery> register_discovery_partitioner;

}  // namespace
}  // namespace souk
