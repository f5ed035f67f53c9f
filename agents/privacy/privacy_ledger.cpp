#include "agents/privacy/privacy_ledger.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/privacy/account_settings.hpp"
#include "scenarios/privacy.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/privacy/gaussian_dp.hpp"

namespace souk {

PrivacyLedger::PrivacyLedger(const scenario::Privacy& config, const SubsampledGaussian& release, std::uint64_t most,
                             std::vector<double> sensitivities)
    : release_(release),
      most_(most),
      sensitivities_(std::move(sensitivities)),
      delta_(config.delta()),
      budget_(config.budget()),
      accountant_(accountant_named(config.accountant())) {
  require_delta(delta_, accountant_, "privacy");
  // Chosen once, so that what a resumed run says does not depend on when it was resumed.
  if (accountant_ == Accountant::loss_distributions && release.sampling < 1.0) {
    losses_ = LossAccountant::fit_for(std::vector{SubsampledGaussian{release.sampling, release.noise, most}}, delta_);
  }
  SOUK_REQUIRE(!is_spent(), "privacy.budget = {}: the first round makes epsilon {:.4g}", budget_, epsilon_after(1));
}

/// After the last round of all nothing is added, whatever is asked.
SubsampledGaussian PrivacyLedger::releases_of(std::uint64_t rounds) const {
  if (sensitivities_.empty()) return {release_.sampling, release_.noise, rounds};
  const double sensitivity = sensitivities_[std::min<std::uint64_t>(rounds, sensitivities_.size()) - 1];
  return {.sampling = 1.0, .noise = release_.noise / sensitivity, .count = 1};
}

double PrivacyLedger::epsilon_after(std::uint64_t rounds) {
  if (rounds == 0) return 0.0;
  const auto found = known_.find(rounds);
  if (found != known_.end()) return found->second;
  const std::vector<SubsampledGaussian> all{releases_of(rounds)};
  double epsilon = 0.0;
  if (losses_) {
    epsilon = losses_->epsilons(all, delta_).larger();
  } else if (accountant_ == Accountant::renyi) {
    epsilon = epsilon_by(accountant_, all, delta_);
  } else {
    epsilon = gdp_epsilon(gdp_mu(all), delta_);
  }
  return known_[rounds] = epsilon;
}

std::string PrivacyLedger::forecast() {
  const std::uint64_t count = releases_within(
      most_, [this](std::uint64_t rounds) { return budget_ == 0.0 || epsilon_after(rounds) <= budget_; });
  return fmt::format("epsilon {:.4g} at delta {:g} after {} rounds{}{}", epsilon_after(count), delta_, count,
                     accountant_ == Accountant::gaussian_limit && release_.sampling < 1.0 ? " (an approximation)" : "",
                     count < most_ ? "; the budget allows no more" : "");
}

void PrivacyLedger::serialize(Archive& archive) {
  archive.field("sampling", release_.sampling);
  archive.field("noise", release_.noise);
  archive.field("rounds", rounds_);
}

}  // namespace souk
