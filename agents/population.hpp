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

/// Who the clients are: which attacker group each belongs to and how fast its device is. Ids 0 … clients - 1. Speeds
/// are drawn when asked for, so that the memory does not grow with them.
class Population {
 public:
  /// Throws InputError where the groups need more members than there are clients.
  explicit Population(const scenario::Scenario& scenario);
  std::size_t clients() const { return group_of_.size(); }
  /// Attacker group, or -1 for a benign client.
  int group_of(AgentId client) const { return group_of_[client.value]; }
  std::size_t malicious() const { return malicious_; }
  Device device(AgentId client) const;

 private:
  std::uint64_t seed_;
  double compute_, compute_sigma_, bandwidth_, bandwidth_sigma_;
  std::vector<std::int32_t> group_of_;
  std::size_t malicious_ = 0;
};

}  // namespace souk
