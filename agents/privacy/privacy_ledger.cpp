#include "agents/privacy/privacy_ledger.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scenarios/privacy.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/privacy/gaussian_dp.hpp"

namespace souk {
namespace {

constexpr double least_delta = 1e-11;  // below, rounding errors of Fourier transforms hide it

Accountant accountant_of(const scenario::Privacy& config) {
  if (config.accountant() == scenario::Privacy::RDP) return Accountant::renyi;
  return config.accountant() == scenario::Privacy::GDP ? Accountant::gaussian_limit : Accountant::loss_distributions;
}

}  // namespace

PrivacyLedger::PrivacyLedger(const scenario::Privacy& config, const SubsampledGaussian& release, std::uint64_t most)
    : release_(release),
      most_(most),
      by_client_(config.local_noise() > 0.0),
      delta_(config.delta()),
      budget_(config.budget()),
      accountant_(accountant_of(config)) {
  if (accountant_ == Accountant::loss_distributions) {
    SOUK_REQUIRE(delta_ >= least_delta, "privacy.delta = {}: the accountant PLD computes with no less than {}", delta_,
                 least_delta);
    // Chosen once, so that what a resumed run says does not depend on when it was resumed.
    if (release.sampling < 1.0) {
      losses_ = LossAccountant::fit_for(std::vector{SubsampledGaussian{release.sampling, release.noise, most}}, delta_);
    }
  }
  SOUK_REQUIRE(!is_spent(), "privacy.budget = {}: the first {} makes epsilon {:.4g}", budget_,
               by_client_ ? "update of a client" : "round", epsilon_after(1));
}

void PrivacyLedger::book(std::span<const AgentId> senders) {
  ++rounds_;
  if (!by_client_) return;
  for (const AgentId client : senders) ++sent_[client.value];
}

std::uint64_t PrivacyLedger::releases() const {
  if (!by_client_) return static_cast<std::uint64_t>(rounds_);
  std::int64_t most = 0;
  for (const auto& [client, count] : sent_) most = std::max(most, count);
  return static_cast<std::uint64_t>(most);
}

double PrivacyLedger::epsilon_after(std::uint64_t releases) {
  if (releases == 0) return 0.0;
  const auto found = known_.find(releases);
  if (found != known_.end()) return found->second;
  const std::vector<SubsampledGaussian> all{{release_.sampling, release_.noise, releases}};
  double epsilon = 0.0;
  if (losses_) {
    epsilon = losses_->epsilons(all, delta_).larger();
  } else if (accountant_ == Accountant::renyi) {
    epsilon = epsilon_by(accountant_, all, delta_);
  } else {
    epsilon = gdp_epsilon(gdp_mu(all), delta_);
  }
  return known_[releases] = epsilon;
}

/// Of so many releases, how many stay within the budget: epsilon grows with their number.
std::uint64_t PrivacyLedger::affordable(std::uint64_t most) {
  if (budget_ == 0.0 || epsilon_after(most) <= budget_) return most;
  std::uint64_t enough = 1, too_many = most;
  while (too_many - enough > 1) {
    const std::uint64_t middle = enough + (too_many - enough) / 2;
    (epsilon_after(middle) <= budget_ ? enough : too_many) = middle;
  }
  return enough;
}

std::string PrivacyLedger::forecast() {
  const std::uint64_t count = affordable(most_);
  return fmt::format("epsilon {:.4g} at delta {:g} {} {} {}{}{}", epsilon_after(count), delta_,
                     by_client_ ? "of a client that sends" : "after", count, by_client_ ? "updates" : "rounds",
                     accountant_ == Accountant::gaussian_limit && release_.sampling < 1.0 ? " (an approximation)" : "",
                     count < most_ ? "; the budget allows no more" : "");
}

void PrivacyLedger::serialize(Archive& archive) {
  archive.field("sampling", release_.sampling);
  archive.field("noise", release_.noise);
  archive.field("rounds", rounds_);
  std::vector<std::int64_t> clients, counts;
  for (const auto& [client, count] : sent_) {
    clients.push_back(client);
    counts.push_back(count);
  }
  archive.field("clients", clients);
  archive.field("releases", counts);
  SOUK_REQUIRE(clients.size() == counts.size(), "saved state: {} clients and {} numbers of releases", clients.size(),
               counts.size());
  sent_.clear();
  for (std::size_t i = 0; i < clients.size(); ++i) sent_[static_cast<std::uint32_t>(clients[i])] = counts[i];
}

}  // namespace souk
