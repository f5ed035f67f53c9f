#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// McMahan et al., 2017. Shards differ by at most one sample, so that none is left out.
class ShardsPartitioner final : public Partitioner {
 public:
  explicit ShardsPartitioner(const scenario::Shards& config) : per_client_(config.per_client()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    SOUK_REQUIRE(per_client_ <= input.labels.size() / input.agents,
                 "partition.shards.per_client = {}: {} clients need {} shards, the data set has {} samples",
                 per_client_, input.agents, per_client_ * input.agents, input.labels.size());
    const std::size_t shards = per_client_ * input.agents;
    const std::vector<SampleIndex> sorted = sorted_by_class(input, random);
    const std::vector<SampleIndex> shard_order = random_order(shards, random);
    std::vector<std::uint32_t> owner(sorted.size());
    for (std::size_t i = 0; i < shards; ++i) {
      const std::size_t shard = shard_order[i];
      const std::size_t end = even_cut(sorted.size(), shards, shard + 1);
      for (std::size_t s = even_cut(sorted.size(), shards, shard); s < end; ++s) {
        owner[sorted[s]] = static_cast<std::uint32_t>(i / per_client_);
      }
    }
    return deal_by_owner(owner, input.agents);
  }

 private:
  std::size_t per_client_;
};

const Register<Partitioner, ShardsPartitioner, scenario::Shards> register_shards_partitioner;

}  // namespace
}  // namespace souk
