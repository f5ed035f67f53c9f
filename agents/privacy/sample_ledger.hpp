#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/privacy/accountant.hpp"

namespace souk::scenario {
class Training;
}

namespace souk {

class Archive;

/// What clients' private steps have given away of single samples. Every client has an account of its own, of q, sigma
/// and the steps that it has taken; no two hold the same sample, so that what bounds the largest account bounds all
/// (parallel composition). Neighbouring data lack one sample, whose place in the client's number n stays.
class SampleLedger {
 public:
  /// `samples` [clients] that each trains on; 0: it has none, or its own are not to be protected. `most`: updates of a
  /// client in a whole run. Throws InputError where the first update is more than the budget.
  SampleLedger(const scenario::Training& training, std::vector<std::size_t> samples, std::uint64_t most);
  /// A round is over, in which these clients sent what they had trained.
  void book(std::span<const AgentId> senders);
  /// Of the client that has given away most.
  double epsilon() { return largest(0); }
  double delta() const { return delta_; }
  /// Steps of the client that has taken most.
  std::uint64_t steps() const;
  /// Whether one more update of any client might be more than the budget.
  bool is_spent() { return budget_ > 0.0 && largest(1) > budget_; }
  /// What becomes of it by the end of the run, in a sentence.
  std::string forecast();
  void serialize(Archive& archive);

 private:
  double largest(std::uint64_t more);
  double epsilon_of(std::size_t samples, std::uint64_t updates);
  double epsilon_of_all(std::uint64_t updates);

  const scenario::Training& training_;
  double noise_, delta_, budget_;
  Accountant accountant_;
  std::uint64_t most_;
  std::vector<std::size_t> samples_;
  std::vector<std::int64_t> sent_;                                 ///< [clients] updates
  std::map<std::pair<std::size_t, std::uint64_t>, double> known_;  ///< epsilon by samples and updates
};

}  // namespace souk
