#include "scenarios/partition.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Cao et al., 2021. Agent i is in group i mod groups; class c belongs to group c mod groups.
class LabelGroupPartitioner final : public Partitioner {
 public:
  explicit LabelGroupPartitioner(const scenario::LabelGroup& config) : q_(config.q()), groups_(config.groups()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    const auto groups = static_cast<std::uint32_t>(groups_ > 0 ? groups_ : static_cast<std::size_t>(input.classes));
    SOUK_REQUIRE(groups <= input.agents, "partition.label_group.groups = {}: there are only {} clients{}", groups,
                 input.agents, groups_ > 0 ? "" : " (0, the default, is one group per class)");
    const auto agents = static_cast<std::uint32_t>(input.agents);
    std::vector<std::uint32_t> owner(input.labels.size());
    for (std::size_t s = 0; s < owner.size(); ++s) {
      std::uint32_t group = static_cast<std::uint32_t>(input.labels[s]) % groups;
      if (groups > 1 && random.uniform() >= q_) {
        const std::uint32_t other = random.below(groups - 1);
        group = other < group ? other : other + 1;
      }
      const std::uint32_t members = (agents - group + groups - 1) / groups;
      owner[s] = group + groups * random.below(members);
    }
    return deal_by_owner(owner, input.agents);
  }

 private:
  double q_;
  std::size_t groups_;
};

const Register<Partitioner, LabelGroupPartitioner, scenario::LabelGroup> register_label_group_partitioner;

}  // namespace
}  // namespace souk
