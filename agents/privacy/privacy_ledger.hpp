#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/privacy/accountant.hpp"
#include "sim/privacy/loss_accountant.hpp"

namespace souk::scenario {
class Privacy;
}

namespace souk {

class Archive;

/// What a run has given away, and what it may: epsilon after so many equal releases. Of noise on the step every round
/// is one; of noise of clients every update that a client sends, and the client that sent most counts.
class PrivacyLedger {
 public:
  /// `release`: one of them; `most`: releases of a whole run. Throws InputError where the first would be too much.
  PrivacyLedger(const scenario::Privacy& config, const SubsampledGaussian& release, std::uint64_t most);
  /// A round is over, in which these clients sent something.
  void book(std::span<const AgentId> senders);
  double epsilon() { return epsilon_after(releases()); }
  /// Whether one more release would be more than the budget.
  bool is_spent() { return budget_ > 0.0 && epsilon_after(releases() + 1) > budget_; }
  /// What becomes of it by the end of the run, in a sentence.
  std::string forecast();
  void serialize(Archive& archive);

 private:
  std::uint64_t releases() const;
  double epsilon_after(std::uint64_t releases);
  std::uint64_t affordable(std::uint64_t most);

  SubsampledGaussian release_;
  std::uint64_t most_;
  bool by_client_;
  double delta_, budget_;
  Accountant accountant_;
  std::optional<LossAccountant>
      losses_;  ///< none: another accountant, or nothing is sampled and there is a closed form
  std::map<std::uint64_t, double> known_;  ///< epsilon by releases
  std::int64_t rounds_ = 0;
  std::map<std::uint32_t, std::int64_t> sent_;  ///< releases of each client, where they count
};

}  // namespace souk
