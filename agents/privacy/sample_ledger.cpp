#include "agents/privacy/sample_ledger.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agents/privacy/account_settings.hpp"
#include "scenarios/learning.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/learn/private_steps.hpp"
#include "sim/privacy/renyi.hpp"

namespace souk {
namespace {

SubsampledGaussian releases_of(const scenario::Training& training, std::size_t samples, std::uint64_t updates) {
  const PrivateTraining plan = private_training(training, samples);
  return {
      .sampling = plan.sampling, .noise = training.sample_privacy().noise_multiplier(), .count = updates * plan.steps};
}

}  // namespace

SampleLedger::SampleLedger(const scenario::Training& training, std::vector<std::size_t> samples, std::uint64_t most)
    : training_(training),
      noise_(training.sample_privacy().noise_multiplier()),
      delta_(training.sample_privacy().delta()),
      budget_(training.sample_privacy().budget()),
      accountant_(accountant_named(training.sample_privacy().accountant())),
      most_(most),
      samples_(std::move(samples)),
      sent_(samples_.size(), 0) {
  require_delta(delta_, accountant_, "task.training.sample_privacy");
  SOUK_REQUIRE(!is_spent(),
               "task.training.sample_privacy.budget = {}: the first update of a client makes epsilon {:.4g}", budget_,
               largest(1));
}

void SampleLedger::book(std::span<const AgentId> senders) {
  for (const AgentId client : senders) ++sent_[client.value];
}

std::uint64_t SampleLedger::steps() const {
  std::uint64_t most = 0;
  for (std::size_t k = 0; k < samples_.size(); ++k) {
    if (samples_[k] == 0) continue;
    most = std::max(most, static_cast<std::uint64_t>(sent_[k]) * private_training(training_, samples_[k]).steps);
  }
  return most;
}

double SampleLedger::epsilon_of(std::size_t samples, std::uint64_t updates) {
  const auto [place, is_new] = known_.try_emplace({samples, updates}, 0.0);
  if (is_new) {
    const SubsampledGaussian all = releases_of(training_, samples, updates);
    const bool closed_form = accountant_ == Accountant::loss_distributions && all.sampling == 1.0;
    place->second = epsilon_by(closed_form ? Accountant::gaussian_limit : accountant_, {&all, 1}, delta_);
  }
  return place->second;
}

/// The largest epsilon where every client has sent so many more updates. Of clients with equally many samples the one
/// that has sent most counts. Renyi's epsilon is never too small and quick, so that distributions of the privacy loss
/// are composed for those alone that it does not show to be less than what another has.
double SampleLedger::largest(std::uint64_t more) {
  std::map<std::size_t, std::uint64_t> updates;
  for (std::size_t k = 0; k < samples_.size(); ++k) {
    const std::uint64_t sent = static_cast<std::uint64_t>(sent_[k]) + more;
    if (samples_[k] > 0 && sent > 0) updates[samples_[k]] = std::max(updates[samples_[k]], sent);
  }
  std::vector<std::pair<double, std::size_t>> bounds;
  for (const auto& [samples, count] : updates) {
    const SubsampledGaussian all = releases_of(training_, samples, count);
    const bool bounded = accountant_ == Accountant::loss_distributions;
    bounds.emplace_back(bounded ? renyi_epsilon({&all, 1}, delta_).epsilon : 0.0, samples);
  }
  std::ranges::sort(bounds, std::greater{});
  double largest = 0.0;
  for (const auto& [bound, samples] : bounds) {
    if (accountant_ == Accountant::loss_distributions && bound <= largest) break;
    largest = std::max(largest, epsilon_of(samples, updates[samples]));
  }
  return largest;
}

/// Of clients that have sent nothing yet.
double SampleLedger::epsilon_of_all(std::uint64_t updates) {
  const std::vector<std::int64_t> sent = std::exchange(sent_, std::vector<std::int64_t>(samples_.size(), 0));
  const double epsilon = largest(updates);
  sent_ = sent;
  return epsilon;
}

std::string SampleLedger::forecast() {
  const std::uint64_t enough = releases_within(
      most_, [this](std::uint64_t updates) { return budget_ == 0.0 || epsilon_of_all(updates) <= budget_; });
  return fmt::format("epsilon {:.4g} at delta {:g} of a sample, of the client that gives away most by {} updates{}",
                     epsilon_of_all(enough), delta_, enough, enough < most_ ? "; the budget allows no more" : "");
}

void SampleLedger::serialize(Archive& archive) { archive.field("updates sent", sent_); }

}  // namespace souk
