#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// Speeds of a simulated device.
struct Device {
  double compute = 0.0;    ///< flop/s
  double bandwidth = 0.0;  ///< bytes/s, each way
};

/// Who the clients are: which attacker group each belongs to and how fast its device is. Ids 0 … clients - 1, first
/// those of the scenario, then the fake identities that attackers bring along. Speeds are drawn when asked for, so that
/// the memory does not grow with them.
class Population {
 public:
  /// Throws InputError where the groups need more members than there are clients.
  explicit Population(const scenario::Scenario& scenario);
  std::size_t clients() const { return group_of_.size(); }
  /// Clients with data of their own; those beyond are fake.
  std::size_t genuine() const { return genuine_; }
  /// The client behind a fake identity; the client itself otherwise.
  AgentId owner_of(AgentId client) const { return client.value < genuine_ ? client : owners_[client.value - genuine_]; }
  /// Attacker group, or -1 for a benign client.
  int group_of(AgentId client) const { return group_of_[client.value]; }
  std::size_t malicious() const { return malicious_; }
  /// Members of a group, fake ones included, ascending.
  std::vector<AgentId> members_of(int group) const;
  Device device(AgentId client) const;

 private:
  std::uint64_t seed_;
  double compute_, compute_sigma_, bandwidth_, bandwidth_sigma_;
  void appoint(const scenario::Scenario& scenario);
  void check_fakes(const scenario::Scenario& scenario) const;
  void add_fakes(const scenario::Scenario& scenario);
  std::size_t genuine_;
  std::vector<std::int32_t> group_of_;
  std::vector<AgentId> owners_;  ///< of the fake identities
  std::size_t malicious_ = 0;
};

}  // namespace souk
