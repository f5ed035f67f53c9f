#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/privacy/accountant.hpp"
#include "sim/privacy/loss_accountant.hpp"

namespace souk::scenario {
class Privacy;
}

namespace souk {

class Archive;

/// What a run has given away by steps under noise of the server, and what it may: epsilon after so many rounds.
class PrivacyLedger {
 public:
  /// `release`: one round; `most`: rounds of a whole run. `sensitivities` [most], unless empty: where clients take part
  /// in known rounds, by how many bounds one of them moves what the rounds up to and with each release together, which
  /// is then a single Gaussian mechanism. Throws InputError where the first would be too much.
  PrivacyLedger(const scenario::Privacy& config, const SubsampledGaussian& release, std::uint64_t most,
                std::vector<double> sensitivities);
  /// A round is over.
  void book() { ++rounds_; }
  std::int64_t rounds() const { return rounds_; }
  double delta() const { return delta_; }
  double epsilon() { return epsilon_after(static_cast<std::uint64_t>(rounds_)); }
  /// Whether one more release would be more than the budget.
  bool is_spent() { return budget_ > 0.0 && epsilon_after(static_cast<std::uint64_t>(rounds_) + 1) > budget_; }
  /// What becomes of it by the end of the run, in a sentence.
  std::string forecast();
  void serialize(Archive& archive);

 private:
  double epsilon_after(std::uint64_t rounds);
  SubsampledGaussian releases_of(std::uint64_t rounds) const;

  SubsampledGaussian release_;
  std::uint64_t most_;
  std::vector<double> sensitivities_;
  double delta_, budget_;
  Accountant accountant_;
  std::optional<LossAccountant>
      losses_;  ///< none: another accountant, or nothing is sampled and there is a closed form
  std::map<std::uint64_t, double> known_;  ///< epsilon by rounds
  std::int64_t rounds_ = 0;
};

}  // namespace souk
