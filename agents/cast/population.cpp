#include "agents/cast/population.hpp"

#include <cmath>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

constexpr std::uint64_t most_clients = 0xFFFF0000;  // ids have 32 bits, and owners of models take some behind them
constexpr double bytes_a_fake = 16.0;               // its group, its owner, and its place in the deal

std::size_t wanted_members(const scenario::Attack& group, std::size_t clients) {
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
      genuine_(scenario.participants().clients()),
      group_of_(genuine_, -1) {
  appoint(scenario);
  check_fakes(scenario);
  add_fakes(scenario);
}

/// Members named by the scenario first; then the others, drawn from who is left.
void Population::appoint(const scenario::Scenario& scenario) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const auto& named = scenario.attacks(g).members();
    SOUK_REQUIRE(!scenario.attacks(g).has_members() || named.id_size() > 0, "attacks[{}].members: names nobody", g);
    for (int i = 0; i < named.id_size(); ++i) {
      const std::uint32_t id = named.id(i);
      SOUK_REQUIRE(id < genuine_, "attacks[{}].members.id[{}] = {}: there are {} clients", g, i, id, genuine_);
      SOUK_REQUIRE(group_of_[id] < 0, "attacks[{}].members.id[{}] = {}: is named before", g, i, id);
      group_of_[id] = g;
      ++malicious_;
    }
  }
  std::vector<std::uint32_t> order(clients());
  std::iota(order.begin(), order.end(), 0U);
  if (scenario.attacks_size() > 0) Stream(seed_, streams::membership()).shuffle(order);
  std::erase_if(order, [&](std::uint32_t id) { return group_of_[id] >= 0; });
  std::size_t next = 0;
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    if (scenario.attacks(g).has_members()) continue;
    const std::size_t members = wanted_members(scenario.attacks(g), clients());
    SOUK_REQUIRE(members > 0, "attacks[{}].fraction = {}: is no client of {}", g, scenario.attacks(g).fraction(),
                 clients());
    SOUK_REQUIRE(next + members <= order.size(),
                 "attacks[{}]: needs {} members, but only {} of the {} clients are in no other group", g, members,
                 order.size() - next, clients());
    for (std::size_t m = 0; m < members; ++m) group_of_[order[next++]] = g;
    malicious_ += members;
  }
}

/// Refuses more identities than can be numbered, or held in memory, before any is made.
void Population::check_fakes(const scenario::Scenario& scenario) const {
  std::vector<std::uint64_t> members(static_cast<std::size_t>(scenario.attacks_size()), 0);
  for (const std::int32_t group : group_of_) {
    if (group >= 0) ++members[static_cast<std::size_t>(group)];
  }
  std::uint64_t all = genuine_;
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const std::uint64_t identities = scenario.attacks(g).identities();
    all += members[static_cast<std::size_t>(g)] * (identities - 1);
    SOUK_REQUIRE(all <= most_clients,
                 "attacks[{}].identities = {}: {} members with as many make {} clients, more than {}", g, identities,
                 members[static_cast<std::size_t>(g)], all, most_clients);
    const double needed = bytes_a_fake * static_cast<double>(all - genuine_);
    SOUK_REQUIRE(needed <= available_memory(),
                 "attacks[{}].identities = {}: {} members with as many make {} clients, which need {:.1f} GB, and this "
                 "node has {:.1f} GB to give",
                 g, identities, members[static_cast<std::size_t>(g)], all, needed / 1e9, available_memory() / 1e9);
  }
}

void Population::add_fakes(const scenario::Scenario& scenario) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const std::uint32_t fakes = scenario.attacks(g).identities() - 1;
    if (fakes == 0) continue;
    for (const AgentId member : members_of(g)) {
      owners_.insert(owners_.end(), fakes, member);
      group_of_.insert(group_of_.end(), fakes, g);
      malicious_ += fakes;
    }
  }
}

std::vector<AgentId> Population::members_of(int group) const {
  std::vector<AgentId> members;
  for (std::uint32_t id = 0; id < clients(); ++id) {
    if (group_of_[id] == group) members.push_back({id});
  }
  return members;
}

Device Population::device(AgentId client) const {
  Stream random(seed_, streams::device_speed(client));
  const double first = random.normal();
  const double second = random.normal();
  return {compute_ * std::exp(compute_sigma_ * first), bandwidth_ * std::exp(bandwidth_sigma_ * second)};
}

}  // namespace souk
