#include "agents/population.hpp"

#include <cmath>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

std::size_t members_of(const scenario::Attack& group, std::size_t clients) {
  if (group.has_count()) return group.count();
  return static_cast<std::size_t>(std::llround(group.fraction() * static_cast<double>(clients)));
}

}  // namespace

Population::Population(const scenario::Scenario& scenario)
    : seed_(scenario.seed()),
      compute_(scenario.participants().availability().compute()),
      compute_sigma_(scenario.participants().availability().compute_sigma()),
      bandwidth_(scenario.participants().availability().bandwidth()),
      bandwidth_sigma_(scenario.participants().availability().bandwidth_sigma()),
      group_of_(scenario.participants().clients(), -1) {
  std::vector<std::uint32_t> order(clients());
  std::iota(order.begin(), order.end(), 0U);
  if (scenario.attacks_size() > 0) Stream(seed_, Purpose::membership, nobody, {}).shuffle(order);
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const std::size_t members = members_of(scenario.attacks(g), clients());
    SOUK_REQUIRE(members > 0, "attacks[{}].fraction = {}: is no client of {}", g, scenario.attacks(g).fraction(),
                 clients());
    SOUK_REQUIRE(malicious_ + members <= clients(),
                 "attacks[{}]: needs {} members, but only {} of the {} clients are in no other group", g, members,
                 clients() - malicious_, clients());
    for (std::size_t m = 0; m < members; ++m) group_of_[order[malicious_++]] = g;
  }
}

Device Population::device(AgentId client) const {
  Stream random(seed_, Purpose::device_speed, client, {});
  const double first = random.normal();
  const double second = random.normal();
  return {compute_ * std::exp(compute_sigma_ * first), bandwidth_ * std::exp(bandwidth_sigma_ * second)};
}

}  // namespace souk
