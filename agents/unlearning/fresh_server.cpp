#include "agents/unlearning/fresh_server.hpp"

#include "agents/training/rule_desk.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {

void FreshServer::check(const World& world) {
  for (const Owner& owner : world.owners) {
    const RuleNeeds needs = make_aggregator(*owner.aggregator)->needs();
    SOUK_REQUIRE(!needs.root_update && !needs.root_data && !needs.validators && !needs.model && !needs.noise,
                 "aggregates again what clients sent or send, and the rule asks for more than updates");
  }
}

FreshServer::FreshServer(const ModelServer& server)
    : server_(server),
      rule_(make_aggregator(*server.owner().aggregator)),
      optimizer_(make_server_optimizer(server.federation().scenario().server())) {}

void FreshServer::apply(RoundIndex round, std::span<const AgentId> clients, const ColumnMatrix& updates,
                        std::span<float> model) {
  const Federation& federation = server_.federation();
  const auto values = model.first(federation.task().layout().trainable());
  std::vector<Submission> submissions;
  for (const AgentId client : clients) {
    submissions.push_back({client, federation.validators().training_count(client)});
  }
  const ColumnVector start(server_.comm(), values);
  const RuleOutput output = run_rule(*rule_,
                                     {.comm = server_.comm(),
                                      .round = round,
                                      .seed = federation.scenario().seed(),
                                      .tolerated_f = server_.tolerated_f(),
                                      .global = start,
                                      .root_update = nullptr,
                                      .layout = &federation.task().layout(),
                                      .owner = static_cast<std::uint16_t>(server_.index())},
                                     submissions, updates, nullptr, streams::rule);
  std::vector<float> step(values.size());
  replicate(server_.comm(), updates.plan(), output.step, step);
  optimizer_->apply(step, static_cast<float>(federation.scenario().server().learning_rate()), values);
}

}  // namespace souk
