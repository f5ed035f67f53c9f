#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/privacy/accountant.hpp"

namespace souk::scenario {
class Privacy;
}

namespace souk {

class Archive;

/// What each client has given away by updates that it sent under noise of its own, for whichever owner. Each is a
/// Gaussian mechanism without sampling: any two updates differ by at most 2 S, and the noise is a multiple of S.
/// Replicated.
class ClientAccounts {
 public:
  /// `noises`: the multiples that there are, ascending; 0: no noise, and no bound after it. `most`: updates that a
  /// client sends in a whole run, at most. Throws InputError where the budget does not pay for the first.
  ClientAccounts(const scenario::Privacy& config, std::vector<double> noises, std::size_t clients, std::uint64_t most);
  /// Contract: `noise` is one of `noises`.
  void book(AgentId client, double noise);
  /// Of all that the client has sent; none: no bound holds.
  std::optional<double> epsilon(AgentId client) const { return epsilon_of(counts_[client.value]); }
  /// The same, should it send one more.
  std::optional<double> epsilon_after(AgentId client, double noise) const;
  std::int64_t releases(AgentId client) const;
  /// Of all clients.
  struct Summary {
    double largest = 0.0;          ///< epsilon of those with a bound
    std::optional<double> mean{};  ///< of those among them that have sent something; none: there is nobody
    std::size_t unbounded = 0;     ///< clients without a bound
  };
  Summary summary() const;
  double delta() const { return delta_; }
  /// Whether one more update of somebody would be more than the budget.
  bool is_spent() const;
  /// What becomes of it by the end of the run, in a sentence.
  std::string forecast() const;
  void serialize(Archive& archive);

 private:
  using Counts = std::vector<std::int64_t>;  ///< [noises] updates sent
  std::optional<double> epsilon_of(const Counts& counts) const;
  std::size_t level_of(double noise) const;
  double after(std::size_t level, std::uint64_t updates) const;
  std::string forecast_of(std::size_t level) const;

  std::vector<double> noises_;
  double delta_, budget_;
  Accountant accountant_;
  std::uint64_t most_;
  std::vector<Counts> counts_;                ///< [clients]
  mutable std::map<Counts, double> known_{};  ///< epsilon by what was sent
};

}  // namespace souk
