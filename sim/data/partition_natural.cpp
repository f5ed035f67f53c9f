#include <algorithm>

#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

class NaturalPartitioner final : public Partitioner {
 public:
  explicit NaturalPartitioner(const scenario::Natural&) {}

  bool by_class() const override { return false; }
  Deal deal(const DealInput& input, Stream&) const override {
    SOUK_REQUIRE(!input.groups.empty(),
                 "partition.natural: the data set names no groups (data.csv.group and data.npy.train_groups do, and "
                 "data.leaf has users)");
    const std::size_t groups = std::size_t{*std::max_element(input.groups.begin(), input.groups.end())} + 1;
    SOUK_REQUIRE(groups >= input.agents, "partition.natural: the data set names {} groups, too few for {} clients",
                 groups, input.agents);
    std::vector<std::uint32_t> owner(input.groups.begin(), input.groups.end());
    for (std::uint32_t& group : owner) group %= static_cast<std::uint32_t>(input.agents);
    return deal_by_owner(owner, input.agents);
  }
};

const Register<Partitioner, NaturalPartitioner, scenario::Natural> register_natural_partitioner;

}  // namespace
}  // namespace souk
