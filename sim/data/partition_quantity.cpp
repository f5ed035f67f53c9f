#include <cmath>

#include "scenarios/partition.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

class QuantityPartitioner final : public Partitioner {
 public:
  explicit QuantityPartitioner(const scenario::Quantity& config) : sigma_(config.sigma()) {}

  bool by_class() const override { return false; }
  Deal deal(const DealInput& input, Stream& random) const override {
    std::vector<double> weights(input.agents);
    for (double& weight : weights) weight = std::exp(sigma_ * random.normal());
    const std::vector<std::size_t> sizes = apportion(input.samples(), weights);
    const std::vector<SampleIndex> order = random_order(input.samples(), random);
    std::vector<std::uint32_t> owner(order.size());
    std::size_t begin = 0;
    for (std::size_t agent = 0; agent < sizes.size(); ++agent) {
      for (const std::size_t end = begin + sizes[agent]; begin < end; ++begin) {
        owner[order[begin]] = static_cast<std::uint32_t>(agent);
      }
    }
    return deal_by_owner(owner, input.agents);
  }

 private:
  double sigma_;
};

const Register<Partitioner, QuantityPartitioner, scenario::Quantity> register_quantity_partitioner;

}  // namespace
}  // namespace souk
