// A section that the program does not know, all of it in this file: it has a place in the round, a say in learning,
// state, rows and a footprint.
#include "agents/stage.hpp"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/engine/scenario_file.hpp"
#include "tests/support/simulated.hpp"

namespace souk::stage_test {
namespace {

/// Lets nobody ask client 0, counts the updates that arrive, and hides those of client 1 from the rule.
class Census final : public Stage, private ServerHooks {
 public:
  explicit Census(const World& world) : clients_(world.federation.population().clients()) {}
  void set_up(SetUpRecord& record) const override {
    record.metrics.push_back({"census.clients", static_cast<double>(clients_)});
  }
  void begin(RoundIndex, Phases&, RoundRecord& record) override {
    EXPECT_TRUE(record.selections.empty()) << "begins before learning";
  }
  void run(RoundIndex, bool, Phases&, RoundRecord& record) override {
    EXPECT_FALSE(record.selections.empty()) << "runs after learning";
    record.add("census.updates", static_cast<double>(updates_));
  }
  ServerHooks* hooks(std::size_t) override { return this; }
  void serialize(Archive& archive) override { archive.field("updates", updates_); }
  std::vector<PartFootprint> footprints(int) const override {
    PartFootprint part{"census", {}};
    part.footprint.held = 12345.0;
    return {part};
  }

 private:
  void invite(RoundIndex, std::size_t, Invitation& invitation, RoundRecord&) override {
    invitation.eligible = [others = invitation.eligible](AgentId client) {
      return client.value != 0 && (!others || others(client));
    };
  }
  void receive(ServerRound& round, RoundRecord&) override {
    updates_ += static_cast<std::int64_t>(round.received.size());
    std::erase_if(round.seen, [&](std::size_t k) { return round.clients[k].value == 1; });
  }
  HookFootprint footprint(const RuleScale&, const RuleFootprint&) const override {
    HookFootprint hooks{.part = "counting"};
    hooks.own.held = 54321.0;
    return hooks;
  }

  std::size_t clients_;
  std::int64_t updates_ = 0;
};

const RegisterStage register_census(
    {.name = "census",
     .place = Place::serving,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.name() == "with_a_census"; },
     .needs = [](const scenario::Scenario&, std::size_t) { return OwnerNeeds{.root = true}; },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<Census>(world); }});

std::string scenario_of(const std::string& name, const std::string& more = "") {
  return "name: \"" + name +
         "\" rounds: 4 task { data { glyphs { train_samples: 240 test_samples: 60 } } model { mlp { hidden: 12 } } "
         "training { batch_size: 16 } } participants { clients: 6 everyone: true } root { samples: 20 } " +
         more;
}

RunEstimate estimate_of(const std::string& text) {
  const ResolvedScenario resolved = resolve_scenario({"test", text, {}});
  return make_simulation(Comm::self(), *resolved.scenario, "cpu")->estimate(1);
}

double held_by(const RunEstimate& estimate, const std::string& part) {
  const auto found = std::ranges::find(estimate.parts, part, &PartFootprint::part);
  return found == estimate.parts.end() ? 0.0 : found->footprint.held;
}

TEST(Stages, come_with_their_section_and_have_a_say_in_learning) {
  const std::string text = scenario_of("with_a_census");
  const Simulated with = simulate(text);
  EXPECT_TRUE(std::ranges::any_of(with.set_up.metrics, [](const MetricValue& metric) {
    return metric.name == "census.clients" && metric.value == 6.0;
  }));
  EXPECT_TRUE(std::ranges::any_of(with.set_up.metrics, [](const MetricValue& metric) {
    return metric.name == "root_samples" && metric.value == 20.0;
  })) << "the section asks for root data, which the mean does not";
  for (std::size_t r = 0; r < with.records.size(); ++r) {
    EXPECT_EQ(with.records[r].metric("census.updates"), 5.0 * static_cast<double>(r + 1));
    EXPECT_EQ(with.records[r].metric("updates"), 4.0) << "the rule sees what is left to it";
    for (const SelectionRow& row : with.records[r].selections) EXPECT_NE(row.agent.value, 0U);
  }
  EXPECT_EQ(held_by(estimate_of(text), "census"), 12345.0);
  EXPECT_EQ(held_by(estimate_of(text), "counting"), 54321.0);
}

/// Says that it brings the owners of models, as the market does.
class Claimant final : public Stage, private ServerHooks {
 public:
  ServerHooks* hooks(std::size_t) override { return this; }

 private:
  bool brings_owner() const override { return true; }
};

const RegisterStage claimant(
    {.name = "claimant",
     .place = Place::serving,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.name() == "with_a_claimant"; },
     .make = [](const World&) -> std::unique_ptr<Stage> { return std::make_unique<Claimant>(); }});

/// What two sections made of a rival's rows would be nobody's; the first owner's are the round's own.
TEST(Stages, of_which_two_bring_a_rival_are_refused) {
  const auto build = [](const std::string& market) {
    const ResolvedScenario resolved = resolve_scenario({"test", scenario_of("with_a_claimant", market), {}});
    make_simulation(Comm::self(), *resolved.scenario, "cpu");
  };
  EXPECT_NO_THROW(build("market { posted_price { price: 1 } }"));
  try {
    build("market { posted_price { price: 1 } rivals { name: \"b\" } }");
    FAIL() << "was not refused";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the owner 'b' of a model is brought by 2 sections"));
  }
}

TEST(Stages, are_not_there_without_their_section) {
  const Simulated without = simulate(scenario_of("without"));
  EXPECT_EQ(without.records.back().metric("census.updates"), std::nullopt);
  EXPECT_EQ(without.records.back().metric("updates"), 6.0);
  EXPECT_EQ(held_by(estimate_of(scenario_of("without")), "census"), 0.0);
}

TEST(Stages, keep_their_state_over_a_break_on_any_number_of_ranks) {
  const Simulated unbroken = simulate(scenario_of("with_a_census"));
  const Simulated broken = simulate(scenario_of("with_a_census"), 2, 2);
  EXPECT_EQ(unbroken.hash, broken.hash);
  EXPECT_EQ(broken.records.back().metric("census.updates"), 20.0);
}

/// Both have a say: whom the market asks and the census lets be asked, and what both leave the rule to see.
TEST(Stages, have_a_say_beside_the_market) {
  const Simulated both = simulate(scenario_of("with_a_census", "market { posted_price { price: 1 } }"));
  EXPECT_EQ(both.records.back().metric("census.updates"), 20.0);
  EXPECT_EQ(both.records.back().metric("updates"), 4.0);
  EXPECT_EQ(both.set_up.agents.front().role, "seller");
}

}  // namespace
}  // namespace souk::stage_test
