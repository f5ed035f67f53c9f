#include <algorithm>
#include <utility>

#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

class IidPartitioner final : public Partitioner {
 public:
  explicit IidPartitioner(const scenario::Iid& config) : overlapping_samples_(config.overlapping_samples()) {}

  bool by_class() const override { return false; }
  Deal deal(const DealInput& input, Stream& random) const override {
    std::vector<SampleIndex> order = random_order(input.samples(), random);
    if (overlapping_samples_ > 0) return draw(input, random, std::move(order));
    std::vector<std::uint32_t> owner(order.size());
    give_evenly(order, input.agents, owner);
    return deal_by_owner(owner, input.agents);
  }
  bool overlaps() const override { return overlapping_samples_ > 0; }

 private:
  // Every agent's sample is the head of one more partial shuffle of the same order: uniform from any starting order.
  Deal draw(const DealInput& input, Stream& random, std::vector<SampleIndex> order) const {
    const std::size_t size = overlapping_samples_;
    SOUK_REQUIRE(size <= order.size(), "partition.iid.overlapping_samples = {}: the data set has {} samples", size,
                 order.size());
    Deal deal;
    deal.offsets.push_back(0);
    deal.samples.reserve(size * input.agents);
    for (std::size_t agent = 0; agent < input.agents; ++agent) {
      for (std::size_t i = 0; i < size; ++i) {
        std::swap(order[i], order[i + random.below(static_cast<std::uint32_t>(order.size() - i))]);
      }
      deal.samples.insert(deal.samples.end(), order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size));
      std::sort(deal.samples.end() - static_cast<std::ptrdiff_t>(size), deal.samples.end());
      deal.offsets.push_back(deal.samples.size());
    }
    return deal;
  }

  std::size_t overlapping_samples_;
};

const Register<Partitioner, IidPartitioner, scenario::Iid> register_iid_partitioner;

}  // namespace
}  // namespace souk
