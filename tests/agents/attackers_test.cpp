#include "agents/training/attackers.hpp"

#include <gmock/gmock.h>

#include "agents/cast/population.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/base/memory.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"
#include "tests/support/matrices.hpp"

namespace souk::attackers_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ResolvedScenario resolve(const std::string& text) {
  return resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
}

class NoRule final : public RuleProbe {
  ProbeResult judge(const ColumnMatrix& updates, std::span<const std::size_t>) override {
    return {ColumnVector(updates), {}};
  }
};
class NoLab final : public Lab {
  ClassGradients class_gradients(std::span<const AgentId>, std::size_t) override { return {}; }
  ColumnMatrix train(std::span<const AgentId>, const LabTraining&) override { return {}; }
};

/// What the server receives of these honest rows, agents 0 …, in one round.
SentUpdates send(const Comm& comm, Attackers& attackers, std::uint32_t round, const ColumnMatrix& honest,
                 RoundRecord& record) {
  std::vector<AgentId> agents;
  for (std::uint32_t id = 0; id < honest.rows(); ++id) agents.push_back({id});
  const ColumnVector zeros(honest);
  NoRule rule;
  NoLab lab;
  return attackers.send({.comm = comm,
                         .round = {round},
                         .agents = agents,
                         .honest = honest,
                         .global = zeros,
                         .change = zeros,
                         .root_update = nullptr,
                         .rule = rule,
                         .lab = lab},
                        record);
}

TEST(Attackers, replace_members_rows_while_their_group_acts_and_nobody_elses) {
  const auto resolved = resolve(
      "participants { clients: 6 } attacks { count: 2 from_round: 2 to_round: 3 "
      "sign_flip { scale: 1 } }");
  const Population population(*resolved.scenario);
  const Rows rows = random_rows(6, 2000);
  run_team(3, [&](const Comm& comm) {
    Attackers attackers(*resolved.scenario, population, {.root_update = false, .wanted = 10});
    const TestMatrix honest(comm, rows);
    for (const std::uint32_t round : {1U, 2U, 3U, 4U}) {
      RoundRecord record;
      const SentUpdates sent = send(comm, attackers, round, honest.columns(), record);
      for (std::uint32_t id = 0; id < 6; ++id) {
        const bool flipped = population.group_of({id}) == 0 && (round == 2 || round == 3);
        const auto before = honest.columns().row(id);
        const auto after = sent.updates.row(id);
        for (std::size_t c = 0; c < before.size(); ++c) ASSERT_EQ(after[c], flipped ? -before[c] : before[c]);
      }
    }
  });
}

TEST(Attackers, a_later_group_sees_honest_updates_and_not_what_an_earlier_one_made_of_them) {
  // With ALL, the fitted noise has the mean of the two benign rows, 1, and no deviation.
  const auto resolved = resolve(
      "participants { clients: 4 } attacks { members { id: 0 } sign_flip { scale: 100 } } "
      "attacks { members { id: 2 } gaussian { fitted: true } }");
  const Population population(*resolved.scenario);
  Attackers attackers(*resolved.scenario, population, {.root_update = false, .wanted = 10});
  const TestMatrix honest(Comm::self(), {{7, 7}, {1, 1}, {9, 9}, {1, 1}});
  RoundRecord record;
  const SentUpdates sent = send(Comm::self(), attackers, 1, honest.columns(), record);
  EXPECT_THAT(sent.updates.row(0), ElementsAre(-700, -700));
  EXPECT_THAT(sent.updates.row(1), ElementsAre(1, 1));
  EXPECT_THAT(sent.updates.row(2), ElementsAre(1, 1));
}

TEST(Attackers, know_as_much_as_the_scenario_grants) {
  // What is submitted is minus the mean of what is known.
  const auto row_of_member = [](const std::string& knowledge) {
    const auto resolved =
        resolve("participants { clients: 3 } attacks { members { id: 0 id: 1 } knowledge: " + knowledge + " ipm {} }");
    const Population population(*resolved.scenario);
    Attackers attackers(*resolved.scenario, population, {.root_update = false, .wanted = 10});
    const TestMatrix honest(Comm::self(), {{2}, {4}, {10}});
    RoundRecord record;
    return send(Comm::self(), attackers, 1, honest.columns(), record).updates.row(0)[0];
  };
  EXPECT_EQ(row_of_member("OWN"), -2.0F);
  EXPECT_EQ(row_of_member("COLLUDERS"), -3.0F);
  EXPECT_EQ(row_of_member("ALL"), -10.0F);
}

std::string refusal(const std::string& attacks) {
  const auto resolved = resolve("participants { clients: 10 } " + attacks);
  try {
    const Population population(*resolved.scenario);
    Attackers(*resolved.scenario, population, {.root_update = false, .wanted = 10});
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Attackers, refuse_groups_that_cannot_act) {
  EXPECT_THAT(refusal("attacks { count: 1 }"), HasSubstr("attacks[0]: chooses no method"));
  EXPECT_THAT(refusal("attacks { members {} sign_flip {} }"), HasSubstr("attacks[0].members: names nobody"));
  EXPECT_THAT(refusal("attacks { members { id: 10 } sign_flip {} }"), HasSubstr("there are 10 clients"));
  EXPECT_THAT(refusal("attacks { members { id: 1 } sign_flip {} } attacks { members { id: 1 } sign_flip {} }"),
              HasSubstr("attacks[1].members.id[0] = 1: is named before"));
  EXPECT_THAT(refusal("attacks { count: 1 every: 2 off: 1 sign_flip {} }"), HasSubstr("attacks[0].every = 2"));
}

TEST(Population, takes_named_members_and_draws_the_others_from_the_rest) {
  const auto resolved = resolve(
      "participants { clients: 10 } attacks { count: 8 sign_flip {} } attacks { members { id: 3 id: 9 } gaussian {} }");
  const Population population(*resolved.scenario);
  for (std::uint32_t id = 0; id < 10; ++id) EXPECT_EQ(population.group_of({id}), id == 3 || id == 9 ? 1 : 0);
  EXPECT_EQ(population.malicious(), 10U);
}

TEST(Population, fake_identities_come_after_the_clients_and_belong_to_a_member) {
  const auto resolved =
      resolve("participants { clients: 10 } attacks { members { id: 3 id: 9 } identities: 3 sign_flip {} }");
  const Population population(*resolved.scenario);
  EXPECT_EQ(population.genuine(), 10U);
  EXPECT_EQ(population.clients(), 14U);
  EXPECT_EQ(population.malicious(), 6U);
  EXPECT_THAT(population.members_of(0),
              ElementsAre(AgentId{3}, AgentId{9}, AgentId{10}, AgentId{11}, AgentId{12}, AgentId{13}));
  EXPECT_EQ(population.owner_of({11}), AgentId{3});
  EXPECT_EQ(population.owner_of({12}), AgentId{9});
  EXPECT_EQ(population.owner_of({4}), AgentId{4});
}

TEST(Population, refuses_more_identities_than_there_are_numbers_or_memory_before_it_makes_any) {
  const auto refusal_of = [](const std::string& text) -> std::string {
    const auto resolved = resolve(text);
    try {
      const Population population(*resolved.scenario);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  // 10^6 members with 10^4 identities each are more than 2^32; so are two groups that each would fit.
  EXPECT_THAT(refusal_of("participants { clients: 1000000 } attacks { fraction: 1 identities: 10000 sign_flip {} }"),
              testing::AllOf(HasSubstr("attacks[0].identities = 10000"), HasSubstr("10000000000 clients")));
  EXPECT_THAT(refusal_of("participants { clients: 10000000 } attacks { fraction: 0.5 identities: 700 sign_flip {} } "
                         "attacks { fraction: 0.5 identities: 700 sign_flip {} }"),
              HasSubstr("identities = 700"));
  if (available_memory() < 60e9) {  // of bookkeeping; on a larger machine this would be tried
    EXPECT_THAT(refusal_of("participants { clients: 1000000 } attacks { fraction: 1 identities: 4290 sign_flip {} }"),
                HasSubstr("GB"));
  }
  EXPECT_EQ(refusal_of("participants { clients: 1000 } attacks { fraction: 1 identities: 100 sign_flip {} }"), "");
}

std::vector<std::uint32_t> acting_rounds(const std::string& schedule) {
  const auto resolved = resolve("participants { clients: 10 } attacks { count: 1 sign_flip {} " + schedule + " }");
  const AttackSchedule when(resolved.scenario->attacks(0), 0);
  std::vector<std::uint32_t> rounds;
  for (std::uint32_t round = 1; round <= 12; ++round) {
    if (when.acts({round})) rounds.push_back(round);
  }
  EXPECT_EQ(when.first().value, rounds.front());
  return rounds;
}

TEST(AttackSchedule, acts_when_the_scenario_says) {
  EXPECT_THAT(acting_rounds("from_round: 10"), ElementsAre(10, 11, 12));
  EXPECT_THAT(acting_rounds("from_round: 3 to_round: 9 every: 3"), ElementsAre(3, 6, 9));
  EXPECT_THAT(acting_rounds("from_round: 2 to_round: 11 on: 2 off: 3"), ElementsAre(2, 3, 7, 8));
  EXPECT_THAT(acting_rounds("at_rounds: [9, 4]"), ElementsAre(4, 9));
}

}  // namespace
}  // namespace souk::attackers_test
