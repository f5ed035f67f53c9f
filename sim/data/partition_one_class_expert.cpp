#include <algorithm>
#include <cmath>
#include <utility>

#include "scenarios/partition.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/deal_tools.hpp"

namespace souk {
namespace {

// Draws before a sample of the agent's own class is left with it in its rest: enough to fail only where nearly no other
// place can take it.
constexpr int exchange_tries = 64;

// Kabir et al., 2024. Clients of equal size; experts are shared among the classes in proportion to their samples, agent
// i taking turns through the classes. First every expert gets its share of its class, then the rest of all samples is
// dealt at random and exchanged until nobody's rest holds its own class, as far as the numbers allow it.
class OneClassExpertPartitioner final : public Partitioner {
 public:
  explicit OneClassExpertPartitioner(const scenario::OneClassExpert& config) : share_(config.share()) {}

  Deal deal(const DealInput& input, Stream& random) const override {
    const auto classes = shuffled_classes(input, random);
    const std::size_t n = input.labels.size();
    const std::vector<std::uint32_t> expert_class = choose_experts(input.agents, classes);
    std::vector<std::size_t> free(input.agents);  // places of each agent not yet filled
    for (std::size_t a = 0; a < input.agents; ++a)
      free[a] = even_cut(n, input.agents, a + 1) - even_cut(n, input.agents, a);

    std::vector<std::uint32_t> owner(n, no_owner);
    give_own_classes(classes, expert_class, free, owner);
    std::vector<SampleIndex> rest;
    for (SampleIndex s = 0; s < n; ++s) {
      if (owner[s] == no_owner) rest.push_back(s);
    }
    random.shuffle(rest);
    give_rest(input.labels, expert_class, free, rest, owner, random);
    return deal_by_owner(owner, input.agents);
  }

 private:
  static std::vector<std::uint32_t> choose_experts(std::size_t agents,
                                                   const std::vector<std::vector<SampleIndex>>& classes) {
    std::vector<double> sizes;
    for (const auto& samples : classes) sizes.push_back(static_cast<double>(samples.size()));
    std::vector<std::size_t> left = apportion(agents, sizes);
    std::vector<std::uint32_t> expert_class;
    while (expert_class.size() < agents) {
      for (std::uint32_t c = 0; c < left.size(); ++c) {
        if (left[c] == 0) continue;
        --left[c];
        expert_class.push_back(c);
      }
    }
    return expert_class;
  }

  void give_own_classes(const std::vector<std::vector<SampleIndex>>& classes,
                        const std::vector<std::uint32_t>& expert_class, std::vector<std::size_t>& free,
                        std::vector<std::uint32_t>& owner) const {
    std::vector<std::vector<std::uint32_t>> experts(classes.size());
    for (std::uint32_t a = 0; a < expert_class.size(); ++a) experts[expert_class[a]].push_back(a);
    for (std::size_t c = 0; c < classes.size(); ++c) {
      for (std::size_t e = 0; e < experts[c].size(); ++e) {
        const std::uint32_t agent = experts[c][e];
        const auto wanted = static_cast<std::size_t>(std::lround(share_ * static_cast<double>(free[agent])));
        // A class too small for all of its experts is cut evenly among them.
        const std::size_t begin = even_cut(classes[c].size(), experts[c].size(), e);
        const std::size_t end = even_cut(classes[c].size(), experts[c].size(), e + 1);
        const std::size_t given = std::min(wanted, end - begin);
        for (std::size_t i = 0; i < given; ++i) owner[classes[c][begin + i]] = agent;
        free[agent] -= given;
      }
    }
  }

  static void give_rest(std::span<const std::int32_t> labels, const std::vector<std::uint32_t>& expert_class,
                        const std::vector<std::size_t>& free, std::vector<SampleIndex>& rest,
                        std::vector<std::uint32_t>& owner, Stream& random) {
    std::vector<std::uint32_t> place;  // agent of each place
    for (std::uint32_t a = 0; a < free.size(); ++a) place.insert(place.end(), free[a], a);
    const auto clashes = [&](std::size_t p, SampleIndex s) {
      return expert_class[place[p]] == static_cast<std::uint32_t>(labels[s]);
    };
    const auto places = static_cast<std::uint32_t>(place.size());
    for (std::size_t p = 0; p < place.size(); ++p) {
      for (int tries = 0; tries < exchange_tries && clashes(p, rest[p]); ++tries) {
        const std::uint32_t other = random.below(places);
        if (!clashes(p, rest[other]) && !clashes(other, rest[p])) std::swap(rest[p], rest[other]);
      }
    }
    for (std::size_t p = 0; p < place.size(); ++p) owner[rest[p]] = place[p];
  }

  double share_;
};

const Register<Partitioner, OneClassExpertPartitioner, scenario::OneClassExpert> register_one_class_expert_partitioner;

}  // namespace
}  // namespace souk
