// The privacy section: updates are shortened, noise is added by clients or by the server, and what that gives away is
// accounted.
#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "agents/privacy/protected_rounds.hpp"
#include "agents/stage.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// What there is of clients' noise, in bounds, ascending; empty: they add none.
std::vector<double> noises_of_clients(const scenario::Scenario& scenario) {
  std::vector<double> noises;
  for (const scenario::Grade& grade : scenario.market().grades()) noises.push_back(grade.noise());
  if (noises.empty() && scenario.privacy().local_noise() > 0.0) noises.push_back(scenario.privacy().local_noise());
  std::ranges::sort(noises);
  return noises;
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
    const ClientAccounts::Summary all = accounts.summary();
    record.add("privacy.epsilon", all.largest);
    if (all.mean) record.add("privacy.mean_epsilon", *all.mean);
    if (all.unbounded > 0) record.add("privacy.unbounded", static_cast<double>(all.unbounded));
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
