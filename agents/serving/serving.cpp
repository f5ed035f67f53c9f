// The service section: a served graph network, principals who ask it, and attacks that infer edges from its answers.
#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "agents/serving/edge_campaign.hpp"
#include "agents/serving/principals.hpp"
#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"

namespace souk {
namespace {

/// From which round on the service is open.
std::uint32_t opening(const scenario::Scenario& scenario) {
  const std::uint32_t rounds = scenario.rounds(), given = scenario.service().from_round();
  SOUK_REQUIRE(given <= rounds, "service.from_round = {}: the run ends with round {}", given, rounds);
  if (given > 0) return given;
  return scenario.training_rounds() < rounds ? scenario.training_rounds() + 1 : rounds;
}

const Graph& graph_of(const World& world) {
  SOUK_REQUIRE(world.federation.data().graph.nodes() > 0,
               "service: answers about nodes of a graph, and the samples of the data set are rows");
  return world.federation.data().graph;
}

std::vector<PrincipalAccount> accounts_of(const World& world) {
  std::vector<PrincipalAccount> accounts;
  for (PrincipalTerms& terms : principals_of(world.scenario.service(), world.federation)) {
    accounts.push_back({.terms = std::move(terms)});
  }
  return accounts;
}

class Serving final : public Stage, private ServerHooks {
 public:
  explicit Serving(const World& world)
      : comm_(world.comm),
        scenario_(world.scenario),
        config_(world.scenario.service()),
        graph_(graph_of(world)),
        from_(opening(world.scenario)),
        network_(make_served_network(world.scenario.task(), world.federation.train(), graph_,
                                     config_.precision() == scenario::Service::DOUBLE)),
        answering_(config_.answers(), network_->classes()),
        evolution_(config_.evolution(), world.scenario.seed()),
        service_{.network = *network_,
                 .graph = graph_,
                 .answering = answering_,
                 .evolution = evolution_,
                 .acceptance = {.share = config_.acceptance().share(),
                                .most = config_.acceptance().most(),
                                .seed = world.scenario.seed()}},
        principals_(accounts_of(world)) {
    for (int i = 0; i < config_.attacks_size(); ++i) {
      campaigns_.push_back(std::make_unique<EdgeCampaign>(config_.attacks(i), static_cast<std::size_t>(i), graph_,
                                                          network_->network(), world.scenario, principals_));
      const auto same = std::ranges::count_if(
          campaigns_, [&](const auto& campaign) { return campaign->name() == campaigns_.back()->name(); });
      SOUK_REQUIRE(same == 1, "service.attacks[{}].name: another attack is called \"{}\", too: give it a name", i,
                   campaigns_.back()->name());
    }
  }

  void set_up(SetUpRecord& record) const override {
    const auto idle = [&record](const std::string& text) { record.events.push_back({"idle service", -1, text}); };
    if (campaigns_.empty()) idle("nobody asks: the service has no attacks");
    for (const PrincipalAccount& principal : principals_) {
      if (!principal.works && !campaigns_.empty()) idle("principal \"" + principal.terms.name + "\" runs no attack");
    }
    if (const std::string what = evolution_.without_effect(graph_.nodes()); !what.empty()) idle(what);
    for (const std::string& what : answering_.without_effect()) idle(what);
    for (const auto& campaign : campaigns_) campaign->set_up(record);
  }

  void run(RoundIndex round, bool last, Phases& phases, RoundRecord& record) override {
    const bool ends = last || record.stop.has_value();
    if (round.value >= from_) {
      phases.prepare("serve", [&] { take_model(); });
      const std::size_t share = round.value - from_, shares = scenario_.rounds() - from_ + 1;
      for (const auto& campaign : campaigns_) {
        campaign->work(service_, model_name_, round, share, shares, comm_, background_, phases, record);
      }
    }
    if (!ends) return;
    if (!last) {
      record.events.push_back(
          {"service cut short", -1,
           fmt::format("the run ends in round {}, and the service was to be open from round {} to {}", round.value,
                       from_, scenario_.rounds())});
    }
    phases.prepare("count edges", [&] {
      for (const auto& campaign : campaigns_) campaign->finish(record);
    });
  }

  bool shapes_models() const override { return false; }

  ServerHooks* hooks(std::size_t owner) override { return owner == 0 ? this : nullptr; }

  void serialize(Archive& archive) override {
    for (PrincipalAccount& principal : principals_) {
      std::vector<std::int64_t> asked;
      for (const std::uint64_t count : principal.asked.of) asked.push_back(static_cast<std::int64_t>(count));
      archive.field("asked", asked);
      SOUK_REQUIRE(asked.size() == request_kinds, "saved state: it counts other kinds of requests");
      for (std::size_t k = 0; k < request_kinds; ++k) principal.asked.of[k] = static_cast<std::uint64_t>(asked[k]);
    }
    for (const auto& campaign : campaigns_) campaign->serialize(archive);
  }

  std::vector<PartFootprint> footprints(int) const override {
    PartFootprint service{"service", {}}, attacks{"attacks on edges", {}};
    service.footprint.held = network_->bytes();
    double changes = 0.0;  // of one pair's world at a time, and of the target's, of which it is a branch
    for (const auto& campaign : campaigns_) {
      attacks.footprint.held += campaign->bytes(static_cast<double>(graph_.nodes()));
      changes = std::max(changes, 2.0 * evolution_.bytes(graph_, campaign->ticks()));
    }
    attacks.footprint.held += changes;
    return {service, attacks};
  }

 private:
  void attach(ModelServer& server) override { server_ = &server; }

  void take_model() {
    const auto now = server_->parameters();
    if (std::ranges::equal(now, model_)) return;
    model_.assign(now.begin(), now.end());
    network_->take(model_);
    model_name_ = sha256_hex(std::span<const float>(model_));
    background_ = {.features = &graph_,
                   .edges = &graph_,
                   .network = &network_->network(),
                   .scaling = &network_->scaling(),
                   .parameters = model_,
                   .classes = graph_.labels,
                   .design = &scenario_.task()};
  }

  const Comm& comm_;
  const scenario::Scenario& scenario_;
  const scenario::Service& config_;
  const Graph& graph_;
  std::uint32_t from_;
  std::unique_ptr<ServedNetwork> network_;
  Answering answering_;
  Evolution evolution_;
  Service service_;
  std::vector<PrincipalAccount> principals_;
  std::vector<std::unique_ptr<EdgeCampaign>> campaigns_;
  const ModelServer* server_ = nullptr;
  std::vector<float> model_;
  std::string model_name_;  ///< its SHA-256
  Background background_;
};

const RegisterStage register_service(
    {.name = "service",
     .place = Place::serving,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.has_service(); },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<Serving>(world); }});

}  // namespace
}  // namespace souk
