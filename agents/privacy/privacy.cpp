// The privacy section: updates are shortened, noise is added by clients or by the server, and what that gives away is
// accounted.
#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "agents/privacy/client_accounts.hpp"
#include "agents/privacy/clip_bound.hpp"
#include "agents/privacy/noise_correlation.hpp"
#include "agents/privacy/privacy_ledger.hpp"
#include "agents/privacy/update_noise.hpp"
#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"
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

/// What there is of clients' noise, in bounds, ascending; empty: they add none.
std::vector<double> noises_of_clients(const scenario::Scenario& scenario) {
  std::vector<double> noises;
  for (const scenario::Grade& grade : scenario.market().grades()) noises.push_back(grade.noise());
  if (noises.empty() && scenario.privacy().local_noise() > 0.0) noises.push_back(scenario.privacy().local_noise());
  std::ranges::sort(noises);
  return noises;
}

std::uint64_t rounds_of(const scenario::Scenario& scenario) {
  return std::min(scenario.rounds(), scenario.training_rounds());
}

void check_settings(const World& world) {
  const scenario::Privacy& config = world.scenario.privacy();
  const bool grades = world.scenario.market().grades_size() > 0;
  SOUK_REQUIRE(
      !world.scenario.has_market() || config.noise_multiplier() == 0.0,
      "privacy.noise_multiplier = {}: what buyers pay and whom they pass over depends on single updates, which "
      "noise on the step does not cover; in a market use local_noise or market.grades",
      config.noise_multiplier());
  SOUK_REQUIRE(!grades || config.local_noise() == 0.0,
               "privacy.local_noise = {}: in this market sellers choose their noise among market.grades",
               config.local_noise());
  SOUK_REQUIRE(!grades || config.budget() == 0.0,
               "privacy.budget = {}: where sellers choose among market.grades each has a limit of its own, "
               "market.sellers.most_epsilon",
               config.budget());
  SOUK_REQUIRE(
      world.scenario.unlearning().requests_size() == 0,
      "privacy: what forgetting computes anew from clients' data is in no account; leave out unlearning.requests");
  SOUK_REQUIRE(config.noise_multiplier() == 0.0 || config.local_noise() == 0.0,
               "privacy.local_noise = {}: beside noise_multiplier the noise of a client would show by itself that it "
               "took part; use one of them",
               config.local_noise());
  const bool noise_of_clients = !noises_of_clients(world.scenario).empty();
  SOUK_REQUIRE(!noise_of_clients || !config.has_adaptive(),
               "privacy.adaptive: clients tell the server whether their updates are short, which {} does not hide; use "
               "fixed",
               grades ? "the noise of market.grades" : "local_noise");
  SOUK_REQUIRE(!config.has_adaptive() || world.owners.size() == 1,
               "privacy.adaptive: follows one model's rounds, and there are rival buyers; use fixed");
  SOUK_REQUIRE(!config.attackers_add_noise() || noise_of_clients,
               "privacy.attackers_add_noise = true: clients add none, local_noise is 0");
  SOUK_REQUIRE(config.budget() == 0.0 || config.noise_multiplier() > 0.0 || noise_of_clients,
               "privacy.budget = {}: without noise there is no epsilon to stop by", config.budget());
}

/// What noise that hangs together over rounds needs: rounds of clients that are known, and one bound for all of them.
void check_correlation(const World& world) {
  const scenario::Privacy& config = world.scenario.privacy();
  if (!config.has_tree() && !config.has_toeplitz()) return;
  const char* name = config.has_tree() ? "tree" : "toeplitz";
  SOUK_REQUIRE(config.noise_multiplier() > 0.0,
               "privacy.{}: is about noise of the server, and there is none; set noise_multiplier", name);
  SOUK_REQUIRE(!config.has_adaptive(),
               "privacy.{}: one round's noise hides clients in others, for which the bound must "
               "stay; use fixed",
               name);
  SOUK_REQUIRE(world.federation.selector().separation() > 0,
               "privacy.{}: how close two updates of a client are is drawn, so that no epsilon is known; use "
               "participants.everyone or rotation",
               name);
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

/// What all owners' rounds have in common.
struct Protection {
  Protection(const World& world, std::vector<double> client_noises)
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
  bool protects_step() const { return ledger.has_value(); }
  bool protects_updates() const { return accounts.has_value(); }

  const Comm& comm;
  std::uint64_t seed, rounds;
  const scenario::Privacy& config;
  const Selector& selector;
  std::size_t malicious;
  ClipBound bound;
  std::unique_ptr<NoiseCorrelation> correlation;  ///< null: every round has noise of its own
  std::optional<PrivacyLedger> ledger;            ///< none: no noise of the server
  std::optional<ClientAccounts> accounts;         ///< none: no noise of clients
};

/// What becomes of the updates of one owner's rounds.
class ProtectedRounds final : public ServerHooks {
 public:
  ProtectedRounds(Protection& protection, std::size_t owner) : all_(protection), owner_(owner) {}

  void attach(ModelServer& server) override { server_ = &server; }

  void invite(RoundIndex, std::size_t, Invitation&, RoundRecord&) override { trained_here_ = {}; }

  /// Members of attackers that replace their updates know them as they are, and the others' as those send them.
  void prepare_update(RoundIndex round, AgentId client, std::span<float> update) override {
    const double norm = shorten(update, all_.bound.length());
    if (std::isfinite(norm)) ++(norm <= all_.bound.length() ? trained_here_.within : trained_here_.longer);
    if (!all_.protects_updates() || server_->crafts(client, round)) return;
    add_panel_noise(update, deviation_of(client), all_.seed, noise_stream(client, round));
  }

  /// What attackers sent instead of what they trained: the server shortens it, unless clients' noise hides how long it
  /// is.
  void receive(ServerRound& round, RoundRecord&) override {
    lengths_ = {all_.comm.all_sum(trained_here_.within), all_.comm.all_sum(trained_here_.longer)};
    if (!all_.protects_updates()) return shorten_received(round);
    if (all_.config.attackers_add_noise()) add_noise_of_attackers(round);
  }

  bool steps_alone() const override { return all_.protects_step(); }

  /// The sum of the updates over how many are expected, not over how many came, which nobody is to know; and noise,
  /// where nobody came, too.
  void change_step(const ServerRound& round, ColumnVector& step) override {
    if (!all_.protects_step()) return;
    const double came = static_cast<double>(round.seen.size()) / all_.selector.expected();
    for (float& value : step.values()) value = static_cast<float>(static_cast<double>(value) * came);
    const double sigma = all_.bound.step_noise() * all_.bound.length() / all_.selector.expected();
    const PanelPlan plan(server_->trainable().size());
    const FreshNoise fresh = [&](std::size_t part, std::span<float> columns) {
      add_panel_noise(all_.comm, plan, columns, sigma, all_.seed, [&](std::size_t panel) {
        return part == 0 ? streams::noise_of_step(round.round, panel)
                         : streams::noise_of_block(round.round, part, panel);
      });
    };
    if (all_.correlation) return all_.correlation->add_next(fresh, step.values());
    fresh(0, step.values());
  }

  void settle(ServerRound& round, Phases&, RoundRecord& record) override { close(round, record); }
  void settle_nothing(ServerRound& round, RoundRecord& record) override {
    lengths_ = {};
    close(round, record);
  }

  HookFootprint footprint(const RuleScale& scale, const RuleFootprint&) const override {
    HookFootprint privacy{.part = "privacy"};
    const std::uint64_t kept = all_.correlation ? all_.correlation->kept(all_.rounds) : 0;
    privacy.own.held = static_cast<double>(std::min(scale.updates, all_.malicious) + kept) * scale.vector();
    return privacy;
  }

 private:
  double noise_in_bounds(AgentId client) const { return server_->noise_of(client).value_or(all_.config.local_noise()); }
  double deviation_of(AgentId client) const { return noise_in_bounds(client) * all_.bound.length(); }

  PanelNoise noise_stream(AgentId client, RoundIndex round) const {
    return [owner = owner_, client, round](std::size_t panel) {
      return streams::noise_of_client(owner, client, round, panel);
    };
  }

  void shorten_received(ServerRound& round) {
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

  void add_noise_of_attackers(ServerRound& round) {
    std::vector<std::size_t> crafted;
    for (std::size_t k = 0; k < round.clients.size(); ++k) {
      if (server_->crafts(round.clients[k], round.round)) crafted.push_back(k);
    }
    replace(round, crafted, [&](std::size_t k, std::span<float> columns) {
      add_panel_noise(all_.comm, round.updates.plan(), columns, deviation_of(round.clients[k]), all_.seed,
                      noise_stream(round.clients[k], round.round));
    });
  }

  /// Lets `change` work on copies of these updates, which take their places. Collective.
  template <class Change>
  void replace(ServerRound& round, std::span<const std::size_t> which, Change change) {
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

  /// After the noise, which is in bounds that the clients were told.
  void close(const ServerRound& round, RoundRecord& record) {
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
  void book_senders(RoundRecord& record) {
    for (const SelectionRow& row : record.selections) {
      if (row.outcome != SelectionOutcome::dropout) all_.accounts->book(row.agent, noise_in_bounds(row.agent));
    }
  }

  Protection& all_;
  std::size_t owner_;
  ModelServer* server_ = nullptr;
  UpdateLengths trained_here_, lengths_;  ///< of the round: on this rank, and in all
  ColumnMatrix replaced_;                 ///< rows that the round's view points into
};

class Privacy final : public Stage {
 public:
  explicit Privacy(const World& world)
      : trainable_(world.federation.task().layout().trainable()),
        all_((check_settings(world), check_correlation(world), world), noises_of_clients(world.scenario)) {
    for (std::size_t owner = 0; owner < world.owners.size(); ++owner) rounds_.emplace_back(all_, owner);
  }

  void set_up(SetUpRecord& record) const override {
    if (all_.ledger || all_.accounts) return;
    record.events.push_back({"no account", -1, "updates are shortened and nobody adds noise: there is no epsilon"});
  }

  ServerHooks* hooks(std::size_t owner) override { return &rounds_[owner]; }

  const ClientAccounts* client_accounts() const override { return all_.accounts ? &*all_.accounts : nullptr; }

  void end(RoundRecord& record) override {
    if (all_.ledger) {
      record.add("privacy.epsilon", all_.ledger->epsilon());
      record.privacy.push_back(
          {-1, "client", "noise of the server", all_.ledger->rounds(), all_.ledger->epsilon(), all_.ledger->delta()});
    }
    if (all_.accounts) record_accounts(*all_.accounts, record);
  }

  void serialize(Archive& archive) override {
    all_.bound.serialize(archive);
    if (all_.ledger) all_.ledger->serialize(archive);
    if (all_.correlation) all_.correlation->serialize(archive, all_.comm, trainable_);
    if (all_.accounts) all_.accounts->serialize(archive);
  }

  std::vector<Forecast> forecasts() override {
    if (all_.ledger) return {{"privacy", all_.ledger->forecast()}};
    return {{"privacy", all_.accounts ? all_.accounts->forecast() : "no noise, no epsilon"}};
  }

 private:
  /// Of everybody who was asked in the round, and what there is to say of all.
  static void record_accounts(const ClientAccounts& accounts, RoundRecord& record) {
    record.add("privacy.epsilon", accounts.largest_epsilon());
    if (const auto mean = accounts.mean_epsilon()) record.add("privacy.mean_epsilon", *mean);
    if (accounts.unbounded() > 0) record.add("privacy.unbounded", static_cast<double>(accounts.unbounded()));
    std::set<AgentId> asked;
    for (const SelectionRow& row : record.selections) asked.insert(row.agent);
    for (const AgentId client : asked) {
      record.privacy.push_back({client.value, "client", "noise of clients", accounts.releases(client),
                                accounts.epsilon(client), accounts.delta()});
    }
  }

  std::size_t trainable_;
  Protection all_;
  std::deque<ProtectedRounds> rounds_;  ///< [owners]
};

const RegisterStage register_privacy(
    {.name = "privacy",
     .place = Place::learning,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.has_privacy(); },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<Privacy>(world); }});

}  // namespace
}  // namespace souk
