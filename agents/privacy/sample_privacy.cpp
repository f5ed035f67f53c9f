// The account of task.training.sample_privacy: local training makes its steps private, and what that bounds is said
// here.
#include <algorithm>
#include <memory>
#include <vector>

#include "agents/privacy/sample_ledger.hpp"
#include "agents/stage.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

std::uint64_t training_rounds_of(const scenario::Scenario& scenario) {
  return std::min(scenario.rounds(), scenario.training_rounds());
}

/// What looks at clients' samples otherwise than by private steps.
void check_what_else_is_told(const World& world) {
  const char* section = "task.training.sample_privacy";
  SOUK_REQUIRE(world.owners.size() == 1,
               "{}: a client draws the noise of one training in a round, and there are {} models", section,
               world.owners.size());
  SOUK_REQUIRE(world.scenario.unlearning().requests_size() == 0,
               "{}: what forgetting computes anew from clients' data is in no account; leave out unlearning.requests",
               section);
  const Federation& federation = world.federation;
  for (std::uint32_t client = 0; client < federation.population().clients(); ++client) {
    SOUK_REQUIRE(federation.validators().training_count({client}) == federation.dealt().deal.of(client).size(),
                 "{}: what clients report as validators about samples that they hold out is in no account; take a rule "
                 "that asks no validators",
                 section);
  }
}

/// [clients] Samples to be protected: those that honest clients train on.
std::vector<std::size_t> protected_samples(const Federation& federation) {
  std::vector<std::size_t> samples(federation.population().clients(), 0);
  for (std::uint32_t client = 0; client < samples.size(); ++client) {
    if (federation.population().group_of({client}) < 0)
      samples[client] = federation.validators().training_count({client});
  }
  return samples;
}

/// Who sent something, in time or not.
std::vector<AgentId> senders(const RoundRecord& record) {
  std::vector<AgentId> clients;
  for (const SelectionRow& row : record.selections) {
    if (row.outcome != SelectionOutcome::dropout) clients.push_back(row.agent);
  }
  return clients;
}

class SamplePrivacy final : public Stage, private ServerHooks {
 public:
  explicit SamplePrivacy(const World& world)
      : rounds_(training_rounds_of(world.scenario)),
        ledger_((check_what_else_is_told(world), world.scenario.task().training()), protected_samples(world.federation),
                world.federation.selector().turns(rounds_)) {}

  bool shapes_models() const override { return false; }
  ServerHooks* hooks(std::size_t) override { return this; }
  void serialize(Archive& archive) override { ledger_.serialize(archive); }
  std::vector<Forecast> forecasts() override { return {{"sample privacy", ledger_.forecast()}}; }

 private:
  void settle(ServerRound& round, Phases&, RoundRecord& record) override { close(round.round, record); }
  void settle_nothing(ServerRound& round, RoundRecord& record) override { close(round.round, record); }

  void close(RoundIndex round, RoundRecord& record) {
    ledger_.book(senders(record));
    const double epsilon = ledger_.epsilon();
    record.add("privacy.sample_epsilon", epsilon);
    record.privacy.push_back({.agent = -1,
                              .unit = "sample",
                              .mechanism = "private steps",
                              .releases = static_cast<std::int64_t>(ledger_.steps()),
                              .epsilon = epsilon,
                              .delta = ledger_.delta()});
    if (round.value < rounds_ && ledger_.is_spent()) record.stop = Stop::budget;
  }

  std::uint64_t rounds_;
  SampleLedger ledger_;
};

const RegisterStage register_sample_privacy(
    {.name = "sample_privacy",
     .place = Place::learning,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.task().training().has_sample_privacy(); },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<SamplePrivacy>(world); }});

}  // namespace
}  // namespace souk
