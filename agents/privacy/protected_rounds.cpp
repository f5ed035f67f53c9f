#include "agents/privacy/protected_rounds.hpp"

#include <algorithm>
#include <cmath>

#include "agents/cast/federation.hpp"
#include "agents/training/model_server.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"
#include "sim/privacy/noise_over_rounds.hpp"

namespace souk {
namespace {

/// A round's step under noise of the server as a sampled Gaussian mechanism. Clients that come by themselves, all of
/// them, and those that take turns are neighbours of one client more or less, who moves the sum by S. Of a cohort of
/// fixed size one who is missing makes room for another: the sum moves by 2 S, which half the noise multiplier says.
SubsampledGaussian release_of(double noise_multiplier, const Federation& federation) {
  const Selector& selector = federation.selector();
  const double sampling = selector.inclusion_bound();
  const bool nobody_else_moves = selector.independent() || selector.separation() > 0;
  return {.sampling = sampling, .noise = nobody_else_moves ? noise_multiplier : 0.5 * noise_multiplier};
}

std::uint64_t rounds_of(const scenario::Scenario& scenario) {
  return std::min(scenario.rounds(), scenario.training_rounds());
}

/// [rounds] As the ledger takes them; empty: rounds are released one by one.
std::vector<double> sensitivities_of(const NoiseCorrelation* correlation, const Selector& selector,
                                     std::uint64_t rounds) {
  if (correlation != nullptr) return correlation->sensitivities(rounds, selector.separation());
  if (selector.separation() <= 1) return {};
  return toeplitz_sensitivities(square_root_coefficients(rounds, 1), selector.separation());
}

/// What noise on updates, or on their sum, does not cover.
void check_coverage(const World& world) {
  const Federation& federation = world.federation;
  SOUK_REQUIRE(federation.parameters() == federation.task().layout().trainable(),
               "privacy: the model has running statistics, which are averaged without noise; use one without");
  SOUK_REQUIRE(
      !federation.train().shape().graph,
      "privacy: clients' nodes are joined by edges, so that the data of one are in the updates of others; noise needs "
      "samples without edges");
}

void check_rule(const scenario::Aggregator& config, double bound) {
  const std::string name = plugin_name(chosen(config, "rule")->GetDescriptor());
  SOUK_REQUIRE(!config.has_mean() || config.mean().weighting() == scenario::Mean::UNIFORM,
               "aggregator.mean.weighting = BY_SAMPLES: a client's samples move everybody's weight, and "
               "privacy.noise_multiplier needs a step that one client moves by a known length; use UNIFORM");
  SOUK_REQUIRE(
      make_aggregator(config)->sensitivity(bound),
      "aggregator.{}: by how much one client moves its step is not known, so that no privacy.noise_multiplier protects "
      "it; use mean or norm_clipping without pre-aggregators, or privacy.local_noise",
      name);
}

}  // namespace

Protection::Protection(const World& world, std::vector<double> client_noises)
    : comm(world.comm),
      seed(world.scenario.seed()),
      rounds(rounds_of(world.scenario)),
      config(world.scenario.privacy()),
      selector(world.federation.selector()),
      malicious(world.federation.population().malicious()),
      bound(config, selector.expected()) {
  if (config.noise_multiplier() > 0.0) {
    check_coverage(world);
    check_rule(world.scenario.aggregator(), bound.length());
    correlation = make_noise_correlation(config, rounds);
    ledger.emplace(config, release_of(config.noise_multiplier(), world.federation), rounds,
                   sensitivities_of(correlation.get(), selector, rounds));
  } else if (!client_noises.empty()) {
    check_coverage(world);
    accounts.emplace(config, std::move(client_noises), world.federation.population().clients(),
                     rounds * world.owners.size());
  }
}

/// Members of attackers that replace their updates know them as they are, and the others' as those send them.
void ProtectedRounds::prepare_update(RoundIndex round, AgentId client, std::span<float> update) {
  const double norm = shorten(update, all_.bound.length());
  if (std::isfinite(norm)) ++(norm <= all_.bound.length() ? trained_here_.within : trained_here_.longer);
  if (!all_.protects_updates() || server_->crafts(client, round)) return;
  add_panel_noise(update, deviation_of(client), all_.seed, noise_stream(client, round));
}

/// What attackers sent instead of what they trained: the server shortens it, unless clients' noise hides how long it
/// is.
void ProtectedRounds::receive(ServerRound& round, RoundRecord&) {
  lengths_ = {all_.comm.all_sum(trained_here_.within), all_.comm.all_sum(trained_here_.longer)};
  if (!all_.protects_updates()) return shorten_received(round);
  if (all_.config.attackers_add_noise()) add_noise_of_attackers(round);
}

/// The sum of the updates over how many are expected, not over how many came, which nobody is to know; and noise,
/// where nobody came, too.
void ProtectedRounds::change_step(const ServerRound& round, ColumnVector& step) {
  if (!all_.protects_step()) return;
  const double came = static_cast<double>(round.seen.size()) / all_.selector.expected();
  for (float& value : step.values()) value = static_cast<float>(static_cast<double>(value) * came);
  const double sigma = all_.bound.step_noise() * all_.bound.length() / all_.selector.expected();
  const PanelPlan plan(server_->trainable().size());
  const FreshNoise fresh = [&](std::size_t part, std::span<float> columns) {
    add_panel_noise(all_.comm, plan, columns, sigma, all_.seed, [&](std::size_t panel) {
      return part == 0 ? streams::noise_of_step(round.round, panel) : streams::noise_of_block(round.round, part, panel);
    });
  };
  if (all_.correlation) return all_.correlation->add_next(fresh, step.values());
  fresh(0, step.values());
}

void ProtectedRounds::settle(ServerRound& round, Phases&, RoundRecord& record) { close(round, record); }

void ProtectedRounds::settle_nothing(ServerRound& round, RoundRecord& record) {
  lengths_ = {};
  close(round, record);
}

HookFootprint ProtectedRounds::footprint(const RuleScale& scale, const RuleFootprint&) const {
  HookFootprint privacy{.part = "privacy"};
  const std::uint64_t kept = all_.correlation ? all_.correlation->kept(all_.rounds) : 0;
  privacy.own.held = static_cast<double>(std::min(scale.updates, all_.malicious) + kept) * scale.vector();
  return privacy;
}

double ProtectedRounds::noise_in_bounds(AgentId client) const {
  return server_->noise_of(client).value_or(all_.config.local_noise());
}

PanelNoise ProtectedRounds::noise_stream(AgentId client, RoundIndex round) const {
  return [owner = owner_, client, round](std::size_t panel) {
    return streams::noise_of_client(owner, client, round, panel);
  };
}

/// Lets `change` work on copies of these updates, which take their places. Collective.
template <class Change>
void ProtectedRounds::replace(ServerRound& round, std::span<const std::size_t> which, Change change) {
  if (which.empty()) return;
  ColumnMatrixBuilder builder(all_.comm, which.size(), round.updates.dimension());
  for (std::size_t i = 0; i < which.size(); ++i) {
    const std::span<float> columns = builder.row(i);
    std::ranges::copy(round.updates.row(which[i]), columns.begin());
    change(which[i], columns);
  }
  replaced_ = std::move(builder).finish();
  const std::vector<double> squares = squared_norms(all_.comm, replaced_);
  for (std::size_t i = 0; i < which.size(); ++i) {
    round.squares[which[i]] = round.received[which[i]].squared_norm = squares[i];
  }
  round.updates = round.updates.replaced(all_.comm, which, replaced_);
}

void ProtectedRounds::shorten_received(ServerRound& round) {
  const double limit = all_.bound.length() * (1.0 + 1e-6);  // what was shortened before is longer by its rounding
  std::vector<std::size_t> longer;
  for (std::size_t k = 0; k < round.squares.size(); ++k) {
    if (std::sqrt(round.squares[k]) > limit) longer.push_back(k);
  }
  replace(round, longer, [&](std::size_t k, std::span<float> columns) {
    const double factor = all_.bound.length() / std::sqrt(round.squares[k]);
    for (float& value : columns) value = static_cast<float>(static_cast<double>(value) * factor);
  });
}

void ProtectedRounds::add_noise_of_attackers(ServerRound& round) {
  std::vector<std::size_t> crafted;
  for (std::size_t k = 0; k < round.clients.size(); ++k) {
    if (server_->crafts(round.clients[k], round.round)) crafted.push_back(k);
  }
  replace(round, crafted, [&](std::size_t k, std::span<float> columns) {
    add_panel_noise(all_.comm, round.updates.plan(), columns, deviation_of(round.clients[k]), all_.seed,
                    noise_stream(round.clients[k], round.round));
  });
}

/// After the noise, which is in bounds that the clients were told.
void ProtectedRounds::close(const ServerRound& round, RoundRecord& record) {
  record.add("privacy.clip", all_.bound.length());
  const std::size_t trained = lengths_.within + lengths_.longer;
  if (trained > 0) {
    record.add("privacy.clipped_share", static_cast<double>(lengths_.longer) / static_cast<double>(trained));
  }
  Stream random(all_.seed, streams::noise_of_count(round.round));
  all_.bound.follow(lengths_, random);
  if (all_.ledger) all_.ledger->book();
  if (all_.accounts) book_senders(record);
  const bool spent = (all_.ledger && all_.ledger->is_spent()) || (all_.accounts && all_.accounts->is_spent());
  if (spent && round.round.value < all_.rounds) record.stop = Stop::budget;
}

/// Who sent something, in time or not.
void ProtectedRounds::book_senders(RoundRecord& record) {
  for (const SelectionRow& row : record.selections) {
    if (row.outcome != SelectionOutcome::dropout) all_.accounts->book(row.agent, noise_in_bounds(row.agent));
  }
}

}  // namespace souk
