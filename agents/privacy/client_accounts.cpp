#include "agents/privacy/client_accounts.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "agents/privacy/account_settings.hpp"
#include "scenarios/privacy.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/privacy/gaussian_dp.hpp"

namespace souk {

ClientAccounts::ClientAccounts(const scenario::Privacy& config, std::vector<double> noises, std::size_t clients,
                               std::uint64_t most)
    : noises_(std::move(noises)),
      delta_(config.delta()),
      budget_(config.budget()),
      accountant_(accountant_named(config.accountant())),
      most_(most),
      counts_(clients, Counts(noises_.size(), 0)) {
  SOUK_EXPECT(!noises_.empty() && std::ranges::is_sorted(noises_));
  require_delta(delta_, accountant_, "privacy");
  SOUK_REQUIRE(!is_spent(), "privacy.budget = {}: the first update of a client makes epsilon {:.4g}", budget_,
               after(0, 1));
}

void ClientAccounts::book(AgentId client, double noise) { ++counts_[client.value][level_of(noise)]; }

std::optional<double> ClientAccounts::epsilon_after(AgentId client, double noise) const {
  Counts counts = counts_[client.value];
  ++counts[level_of(noise)];
  return epsilon_of(counts);
}

std::int64_t ClientAccounts::releases(AgentId client) const {
  const Counts& counts = counts_[client.value];
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

ClientAccounts::Summary ClientAccounts::summary() const {
  Summary all;
  double sum = 0.0;
  std::size_t senders = 0;
  for (const Counts& counts : counts_) {
    const std::optional<double> epsilon = epsilon_of(counts);
    if (!epsilon) {
      ++all.unbounded;
    } else if (*epsilon > 0.0) {
      all.largest = std::max(all.largest, *epsilon);
      sum += *epsilon;
      ++senders;
    }
  }
  if (senders > 0) all.mean = sum / static_cast<double>(senders);
  return all;
}

/// Whoever has sent most comes first: of one noise alone a budget is, and epsilon grows with the number.
bool ClientAccounts::is_spent() const {
  if (budget_ == 0.0) return false;
  std::int64_t most = 0;
  for (const Counts& counts : counts_) most = std::max(most, counts.front());
  return after(0, static_cast<std::uint64_t>(most) + 1) > budget_;
}

std::size_t ClientAccounts::level_of(double noise) const {
  const auto found = std::ranges::find(noises_, noise);
  SOUK_EXPECT(found != noises_.end());
  return static_cast<std::size_t>(found - noises_.begin());
}

std::optional<double> ClientAccounts::epsilon_of(const Counts& counts) const {
  std::vector<SubsampledGaussian> all;
  for (std::size_t level = 0; level < noises_.size(); ++level) {
    if (counts[level] == 0) continue;
    if (noises_[level] == 0.0) return std::nullopt;
    all.push_back({1.0, 0.5 * noises_[level], static_cast<std::uint64_t>(counts[level])});
  }
  if (all.empty()) return 0.0;
  const auto found = known_.find(counts);
  if (found != known_.end()) return found->second;
  // Without sampling, distributions of the privacy loss have a closed form.
  const double epsilon =
      accountant_ == Accountant::renyi ? epsilon_by(accountant_, all, delta_) : gdp_epsilon(gdp_mu(all), delta_);
  return known_[counts] = epsilon;
}

/// Contract: there is a bound.
double ClientAccounts::after(std::size_t level, std::uint64_t updates) const {
  Counts counts(noises_.size(), 0);
  counts[level] = static_cast<std::int64_t>(updates);
  return epsilon_of(counts).value();
}

std::string ClientAccounts::forecast() const {
  std::string text;
  for (std::size_t level = 0; level < noises_.size(); ++level) {
    if (!text.empty()) text += "; ";
    text += noises_[level] == 0.0 ? "no epsilon of a client that sends without noise" : forecast_of(level);
  }
  return text;
}

std::string ClientAccounts::forecast_of(std::size_t level) const {
  const std::uint64_t count =
      releases_within(most_, [&](std::uint64_t updates) { return budget_ == 0.0 || after(level, updates) <= budget_; });
  return fmt::format("epsilon {:.4g} at delta {:g} of a client that sends {} updates{}{}", after(level, count), delta_,
                     count, noises_.size() > 1 ? fmt::format(" under noise {:g}", noises_[level]) : "",
                     count < most_ ? "; the budget allows no more" : "");
}

void ClientAccounts::serialize(Archive& archive) {
  Counts all;
  for (const Counts& counts : counts_) all.insert(all.end(), counts.begin(), counts.end());
  archive.field("updates under noise", all);
  SOUK_REQUIRE(all.size() == counts_.size() * noises_.size(),
               "saved state: {} numbers of updates under noise, not {} times {}", all.size(), counts_.size(),
               noises_.size());
  for (std::size_t k = 0; k < all.size(); ++k) counts_[k / noises_.size()][k % noises_.size()] = all[k];
}

}  // namespace souk
