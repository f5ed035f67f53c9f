// The privacy section: updates are shortened, noise is added by clients or by the server, and what that gives away is
// accounted.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "agents/privacy/clip_bound.hpp"
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

namespace souk {
namespace {

/// A round's step under noise of the server as a sampled Gaussian mechanism. Clients that come by themselves, and all
/// of them, are neighbours of one client more or less, who moves the sum by S. Of a cohort of fixed size one who is
/// missing makes room for another: the sum moves by 2 S, which half the noise multiplier says.
SubsampledGaussian release_of(double noise_multiplier, const Federation& federation) {
  const Selector& selector = federation.selector();
  const double sampling = selector.inclusion_bound();
  const bool nobody_else_moves = selector.independent() || selector.wanted() == federation.population().clients();
  return {.sampling = sampling, .noise = nobody_else_moves ? noise_multiplier : 0.5 * noise_multiplier};
}

/// An update under its client's own noise: any two differ by at most 2 S.
SubsampledGaussian release_of_client(double local_noise) { return {.sampling = 1.0, .noise = 0.5 * local_noise}; }

std::uint64_t rounds_of(const scenario::Scenario& scenario) {
  return std::min(scenario.rounds(), scenario.training_rounds());
}

void check_settings(const World& world) {
  const scenario::Privacy& config = world.scenario.privacy();
  SOUK_REQUIRE(
      !world.scenario.has_market(),
      "privacy: what buyers pay and whom they pass over depends on single updates, and no account covers it; leave out "
      "the market");
  SOUK_REQUIRE(
      world.scenario.unlearning().requests_size() == 0,
      "privacy: what forgetting computes anew from clients' data is in no account; leave out unlearning.requests");
  SOUK_REQUIRE(config.noise_multiplier() == 0.0 || config.local_noise() == 0.0,
               "privacy.local_noise = {}: beside noise_multiplier the noise of a client would show by itself that it "
               "took part; use one of them",
               config.local_noise());
  SOUK_REQUIRE(
      config.local_noise() == 0.0 || !config.has_adaptive(),
      "privacy.adaptive: clients tell the server whether their updates are short, which local_noise does not hide; use "
      "fixed");
  SOUK_REQUIRE(!config.attackers_add_noise() || config.local_noise() > 0.0,
               "privacy.attackers_add_noise = true: clients add none, local_noise is 0");
  const bool noise = config.noise_multiplier() > 0.0 || config.local_noise() > 0.0;
  SOUK_REQUIRE(config.budget() == 0.0 || noise, "privacy.budget = {}: without noise there is no epsilon to stop by",
               config.budget());
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

class Privacy final : public Stage, private ServerHooks {
 public:
  explicit Privacy(const World& world)
      : comm_(world.comm),
        seed_(world.scenario.seed()),
        rounds_(rounds_of(world.scenario)),
        config_(world.scenario.privacy()),
        selector_(world.federation.selector()),
        malicious_(world.federation.population().malicious()),
        bound_(config_, selector_.expected()) {
    check_settings(world);
    if (protects_step()) {
      check_coverage(world);
      check_rule(world.scenario.aggregator(), bound_.length());
      ledger_.emplace(config_, release_of(config_.noise_multiplier(), world.federation), rounds_);
    } else if (protects_updates()) {
      check_coverage(world);
      ledger_.emplace(config_, release_of_client(config_.local_noise()), rounds_);
    }
  }

  void set_up(SetUpRecord& record) const override {
    if (ledger_) return;
    record.events.push_back({"no account", -1, "updates are shortened and nobody adds noise: there is no epsilon"});
  }

  ServerHooks* hooks(std::size_t) override { return this; }

  void serialize(Archive& archive) override {
    bound_.serialize(archive);
    if (ledger_) ledger_->serialize(archive);
  }

  std::vector<Forecast> forecasts() override {
    if (!ledger_) return {{"privacy", "no noise, no epsilon"}};
    return {{"privacy", ledger_->forecast()}};
  }

 private:
  bool protects_step() const { return config_.noise_multiplier() > 0.0; }
  bool protects_updates() const { return config_.local_noise() > 0.0; }
  double noise_of_client() const { return config_.local_noise() * bound_.length(); }

  void attach(ModelServer& server) override { server_ = &server; }

  void invite(RoundIndex, std::size_t, Invitation&, RoundRecord&) override { trained_here_ = {}; }

  /// Members of attackers that replace their updates know them as they are, and the others' as those send them.
  void prepare_update(RoundIndex round, AgentId client, std::span<float> update) override {
    const double norm = shorten(update, bound_.length());
    if (std::isfinite(norm)) ++(norm <= bound_.length() ? trained_here_.within : trained_here_.longer);
    if (!protects_updates() || server_->crafts(client, round)) return;
    add_panel_noise(update, noise_of_client(), seed_, noise_stream(client, round));
  }

  static PanelNoise noise_stream(AgentId client, RoundIndex round) {
    return [client, round](std::size_t panel) { return streams::noise_of_client(0, client, round, panel); };
  }

  /// What attackers sent instead of what they trained: the server shortens it, unless clients' noise hides how long it
  /// is.
  void receive(ServerRound& round, RoundRecord&) override {
    lengths_ = {comm_.all_sum(trained_here_.within), comm_.all_sum(trained_here_.longer)};
    if (!protects_updates()) {
      const double limit = bound_.length() * (1.0 + 1e-6);  // what was shortened before is longer by its rounding
      std::vector<std::size_t> longer;
      for (std::size_t k = 0; k < round.squares.size(); ++k) {
        if (std::sqrt(round.squares[k]) > limit) longer.push_back(k);
      }
      replace(round, longer, [&](std::size_t k, std::span<float> columns) {
        const double factor = bound_.length() / std::sqrt(round.squares[k]);
        for (float& value : columns) value = static_cast<float>(static_cast<double>(value) * factor);
      });
    } else if (config_.attackers_add_noise()) {
      std::vector<std::size_t> crafted;
      for (std::size_t k = 0; k < round.clients.size(); ++k) {
        if (server_->crafts(round.clients[k], round.round)) crafted.push_back(k);
      }
      replace(round, crafted, [&](std::size_t k, std::span<float> columns) {
        add_panel_noise(comm_, round.updates.plan(), columns, noise_of_client(), seed_,
                        noise_stream(round.clients[k], round.round));
      });
    }
  }

  /// Lets `change` work on copies of these updates, which take their places. Collective.
  template <class Change>
  void replace(ServerRound& round, std::span<const std::size_t> which, Change change) {
    if (which.empty()) return;
    ColumnMatrixBuilder builder(comm_, which.size(), round.updates.dimension());
    for (std::size_t i = 0; i < which.size(); ++i) {
      const std::span<float> columns = builder.row(i);
      std::ranges::copy(round.updates.row(which[i]), columns.begin());
      change(which[i], columns);
    }
    replaced_ = std::move(builder).finish();
    const std::vector<double> squares = squared_norms(comm_, replaced_);
    for (std::size_t i = 0; i < which.size(); ++i) {
      round.squares[which[i]] = round.received[which[i]].squared_norm = squares[i];
    }
    round.updates = round.updates.replaced(comm_, which, replaced_);
  }

  bool steps_alone() const override { return protects_step(); }

  /// The sum of the updates over how many are expected, not over how many came, which nobody is to know; and noise,
  /// where nobody came, too.
  void change_step(const ServerRound& round, ColumnVector& step) override {
    if (!protects_step()) return;
    const double came = static_cast<double>(round.seen.size()) / selector_.expected();
    for (float& value : step.values()) value = static_cast<float>(static_cast<double>(value) * came);
    const double sigma = bound_.step_noise() * bound_.length() / selector_.expected();
    const PanelPlan plan(server_->trainable().size());
    add_panel_noise(comm_, plan, step.values(), sigma, seed_,
                    [&](std::size_t panel) { return streams::noise_of_step(round.round, panel); });
  }

  void settle(ServerRound& round, Phases&, RoundRecord& record) override { close(round, record); }
  void settle_nothing(const ServerRound& round, RoundRecord& record) override {
    lengths_ = {};
    close(round, record);
  }

  /// After the noise, which is in bounds that the clients were told.
  void close(const ServerRound& round, RoundRecord& record) {
    record.add("privacy.clip", bound_.length());
    const std::size_t trained = lengths_.within + lengths_.longer;
    if (trained > 0) {
      record.add("privacy.clipped_share", static_cast<double>(lengths_.longer) / static_cast<double>(trained));
    }
    Stream random(seed_, streams::noise_of_count(round.round));
    bound_.follow(lengths_, random);
    if (!ledger_) return;
    ledger_->book(senders(record));
    record.add("privacy.epsilon", ledger_->epsilon());
    if (round.round.value < rounds_ && ledger_->is_spent()) record.stop = Stop::budget;
  }

  /// Who sent something, in time or not.
  static std::vector<AgentId> senders(const RoundRecord& record) {
    std::vector<AgentId> clients;
    for (const SelectionRow& row : record.selections) {
      if (row.outcome != SelectionOutcome::dropout) clients.push_back(row.agent);
    }
    return clients;
  }

  HookFootprint footprint(const RuleScale& scale, const RuleFootprint&) const override {
    HookFootprint privacy{.part = "privacy"};
    privacy.own.held = static_cast<double>(std::min(scale.updates, malicious_)) * scale.vector();
    return privacy;
  }

  const Comm& comm_;
  std::uint64_t seed_, rounds_;
  const scenario::Privacy& config_;
  const Selector& selector_;
  std::size_t malicious_;
  ClipBound bound_;
  std::optional<PrivacyLedger> ledger_;  ///< none: nobody adds noise
  ModelServer* server_ = nullptr;
  UpdateLengths trained_here_, lengths_;  ///< of the round: on this rank, and in all
  ColumnMatrix replaced_;                 ///< rows that the round's view points into
};

const RegisterStage register_privacy(
    {.name = "privacy",
     .place = Place::learning,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.has_privacy(); },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<Privacy>(world); }});

}  // namespace
}  // namespace souk
