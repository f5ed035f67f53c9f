#include <cmath>

#include <gmock/gmock.h>

#include "sim/base/archive.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"

namespace souk {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatNear;

std::unique_ptr<UpdateAttack> sybil(const std::string& text) {
  return std::move(make_update_attacks(attack_group(text)).front());
}

/// What the server publishes of a round: who was selected, their shares, and the step.
void publish(UpdateAttack& attack, const std::vector<double>& selected, std::vector<float> step,
             const std::vector<double>& weights = {}) {
  const Comm comm = Comm::self();
  std::vector<AgentId> agents;
  for (std::uint32_t i = 0; i < selected.size(); ++i) agents.push_back({i});
  const ColumnVector change(comm, step);
  attack.observe({comm, {1}, agents, selected, weights, change, step.size()});
}

/// Members 0 and 1, one benign client. In round 1 all submit their own; member 0 alone is selected, with {2, 4}.
CraftedRows second_round(UpdateAttack& attack) {
  const AttackRound first{.honest = {{2, 4}, {8, 8}, {1, 1}}, .members = 2, .level = Knowledge::colluders};
  const CraftedRows opening = craft(Comm::self(), attack, first);
  EXPECT_THAT(opening.rows[0], ElementsAre(2, 4)) << "nobody has won yet";
  publish(attack, {1, 0, 1}, {0, 0});
  return craft(Comm::self(), attack,
               {.honest = {{10, 20}, {30, 50}, {1, 1}}, .members = 2, .level = Knowledge::colluders, .round = 2});
}

// Every expectation: the winner goes on with {10, 20}; the loser mixes its {30, 50} with what won, {2, 4}.
TEST(SybilMixture, losers_follow_the_strategy_and_winners_go_on) {
  EXPECT_THAT(second_round(*sybil("sybil_mimic { alpha: 0.5 }")).rows,
              ElementsAre(ElementsAre(10, 20), ElementsAre(16, 27)));
  EXPECT_THAT(second_round(*sybil("pivot {}")).rows, ElementsAre(ElementsAre(10, 20), ElementsAre(2, 4)));
  EXPECT_THAT(second_round(*sybil("knock_out { alpha: 0.25 }")).rows[1], ElementsAre(16, 27));
  EXPECT_THAT(second_round(*sybil("knock_out { alpha: 0.7 }")).rows[1], ElementsAre(2, 4));
  EXPECT_THAT(second_round(*sybil("cost_inflation { scale: 1.5 }")).rows[1], ElementsAre(3, 6));
  EXPECT_THAT(second_round(*sybil("camouflage { alpha: 0.5 amplify: 2 }")).rows[1], ElementsAre(32, 54));
}

TEST(SybilMixture, slowdown_needs_no_winner) {
  const auto attack = sybil("slowdown { scale: 0.5 }");
  EXPECT_THAT(craft(Comm::self(), *attack, {.honest = {{2, 4}, {1, 1}}, .members = 1}).rows[0], ElementsAre(1, 2));
}

TEST(SybilMixture, winners_follow_too_where_they_are_told_to) {
  EXPECT_THAT(second_round(*sybil("pivot { memory { winners_too: true } }")).rows, Each(ElementsAre(2, 4)));
}

TEST(SybilMixture, the_window_bounds_what_is_remembered) {
  const auto third_round = [](const std::string& text) {
    const auto attack = sybil(text);
    second_round(*attack);                // submits {2, 4} as member 1
    publish(*attack, {0, 0, 1}, {0, 0});  // a round without winners
    return craft(Comm::self(), *attack,
                 {.honest = {{7, 7}, {9, 9}, {1, 1}}, .members = 2, .level = Knowledge::colluders, .round = 3})
        .rows;
  };
  EXPECT_THAT(third_round("pivot {}"), ElementsAre(ElementsAre(7, 7), ElementsAre(9, 9))) << "nothing to follow";
  EXPECT_THAT(third_round("pivot { memory { window: 2 } }"), Each(ElementsAre(2, 4)));
}

TEST(SybilMixture, members_take_parts_by_their_selection_rates) {
  // Four members; after three rounds selected 3, 2, 1 and 0 times. A quarter are attackers, a quarter explorers.
  const auto attack =
      sybil("slowdown { scale: 0.5 memory { roles: true attackers: 0.25 explorers: 0.25 exploration: 0.1 } }");
  const std::vector<float> own(1000, 8.0F);
  const AttackRound round{.honest = {own, own, own, own, own}, .members = 4, .level = Knowledge::colluders};
  for (const auto& selected : {std::vector<double>{1, 1, 1, 0}, {1, 1, 0, 0}, {1, 0, 0, 0}}) {
    craft(Comm::self(), *attack, round);
    publish(*attack, selected, std::vector<float>(1000));
  }
  const Rows rows = craft(Comm::self(), *attack, round).rows;
  EXPECT_THAT(rows[0], Each(8.0F));
  EXPECT_THAT(rows[1], Each(4.0F));
  EXPECT_THAT(rows[2], Each(4.0F));
  double squares = 0.0;
  for (const float value : rows[3]) squares += (static_cast<double>(value) - 4.0) * (static_cast<double>(value) - 4.0);
  EXPECT_NEAR(std::sqrt(squares / 1000), 0.4, 0.03);  // a tenth of the submission, 4
}

TEST(SybilMixture, where_nothing_is_published_nobody_learns) {
  const auto attack = sybil("pivot {}");
  const AttackRound round{.honest = {{2, 4}, {1, 1}}, .members = 1, .level = Knowledge::colluders};
  craft(Comm::self(), *attack, round);
  publish(*attack, {}, {0, 0});
  EXPECT_THAT(craft(Comm::self(), *attack, round).rows[0], ElementsAre(2, 4));
}

/// Selects whose first coordinate is below 5; its step is of no interest.
class BelowFive final : public RuleProbe {
  Verdict verdict(const ColumnMatrix& updates) override {
    Verdict verdict{ColumnVector(updates), {}};
    for (std::size_t i = 0; i < updates.rows(); ++i) verdict.weights.push_back(updates.row(i)[0] < 5.0F ? 1.0 : 0.0);
    return verdict;
  }
};

TEST(OracleBlend, blends_with_the_benign_updates_that_the_rule_selects) {
  BelowFive rule;
  const auto attack = sybil("oracle_blend { alpha: 0.25 }");
  const AttackRound round{
      .honest = {{4, 8}, {1, 1}, {3, 5}, {50, 50}}, .members = 1, .level = Knowledge::rule, .rule = &rule};
  // Selected and benign: {1, 1} and {3, 5}, mean {2, 3}; the member's own {4, 8} counts a quarter.
  const CraftedRows crafted = craft(Comm::self(), *attack, round);
  EXPECT_THAT(crafted.rows[0], ElementsAre(2.5, 4.25));
  EXPECT_EQ(crafted.diagnostics.at("benign_selected"), 2.0);
}

TEST(SystematicProbe, tries_every_share_once_and_keeps_to_the_largest_that_passed) {
  const auto attack = sybil("systematic_probe { least: 0.2 probes: 5 }");  // shares .2 .4 .6 .8 1
  const AttackRound round{.honest = {{10, 0}, {1, 1}}, .members = 1, .level = Knowledge::colluders};
  std::vector<float> tried;
  for (int r = 0; r < 5; ++r) {
    tried.push_back(craft(Comm::self(), *attack, round).rows[0][0]);
    // Nobody who wins is remembered here (rejected rounds only) but for the share .6, which passes.
    publish(*attack, {r == 2 ? 1.0 : 0.0}, {0, 0});
  }
  EXPECT_THAT(tried,
              ElementsAre(FloatNear(2, 1e-5F), FloatNear(4, 1e-5F), FloatNear(6, 1e-5F), testing::_, testing::_));
  EXPECT_NEAR(craft(Comm::self(), *attack, round).diagnostics.at("share"), 0.6, 1e-12);
}

TEST(Drowning, is_the_mirror_image_of_the_victim_at_the_center_of_the_others) {
  // Benign 1 (the victim), 2 and 3; the others' mean is {2, 2}; {6, 0} mirrored at it with strength 0.5: {0, 3}.
  const AttackRound round{.honest = {{9, 9}, {6, 0}, {1, 1}, {3, 3}}, .members = 1};
  EXPECT_THAT(craft("drowning { victim: 1 strength: 0.5 }", round).rows[0], ElementsAre(0, 3));
  EXPECT_THAT(craft("drowning { victim: 7 }", round).rows[0],
              ElementsAre(FloatNear(10.0F / 3, 1e-5F), FloatNear(4.0F / 3, 1e-5F)));
}

TEST(CompetitorMimicry, copies_its_victim_plain_scaled_noisy_or_averaged) {
  const AttackRound round{.honest = {{9, 9}, {6, 0}, {4, 2}}, .members = 1};
  EXPECT_THAT(craft("competitor_mimicry { victim: 2 kind: EXACT }", round).rows[0], ElementsAre(4, 2));
  EXPECT_THAT(craft("competitor_mimicry { victim: 5 kind: EXACT }", round).rows[0], ElementsAre(6, 0)) << "the first";
  EXPECT_THAT(craft("competitor_mimicry { victim: 2 kind: SCALED scale: 1.5 }", round).rows[0], ElementsAre(6, 3));
  const auto averaging = sybil("competitor_mimicry { victim: 1 kind: AVERAGED window: 2 }");
  Rows rows;
  for (const float value : {100.0F, 2.0F, 6.0F}) {
    rows = craft(Comm::self(), *averaging, {.honest = {{0, 0}, {value, 0}}, .members = 1}).rows;
  }
  EXPECT_THAT(rows[0], ElementsAre(4, 0));
  const std::vector<float> victim(4000, 2.0F);
  const Rows noisy =
      craft("competitor_mimicry { victim: 1 kind: NOISY noise: 0.05 }", {.honest = {victim, victim}, .members = 1})
          .rows;
  double squares = 0.0;
  for (const float value : noisy[0]) squares += (static_cast<double>(value) - 2.0) * (static_cast<double>(value) - 2.0);
  EXPECT_NEAR(std::sqrt(squares / 4000), 0.1, 0.01);
}

TEST(Whitewash, leaves_after_so_many_rejections_in_a_row_and_no_more_often_than_it_may) {
  const auto attack = sybil("whitewash { after: 2 limit: 1 cost: 3 }");
  const AttackRound round{.honest = {{1, 2}, {3, 4}, {5, 6}}, .members = 2, .level = Knowledge::colluders};
  const auto leavers = [&](const std::vector<double>& selected) {
    EXPECT_THAT(craft(Comm::self(), *attack, round).rows, ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
    publish(*attack, selected, {0, 0});
    return attack->leaving();
  };
  EXPECT_THAT(leavers({0, 0, 0}), ElementsAre());
  EXPECT_THAT(leavers({1, 0, 0}), ElementsAre(AgentId{1}));
  EXPECT_THAT(leavers({0, 0, 0}), ElementsAre()) << "client 0 was selected between";
  EXPECT_THAT(leavers({0, 0, 0}), ElementsAre(AgentId{0})) << "client 1 has used its only new identity";
  EXPECT_EQ(attack->identity_cost(), 3.0);
}

/// Plays `rounds` rounds in which exactly the behaviour that `bought` names is selected; returns the last diagnostics.
std::map<std::string, double> play(const std::string& text, const std::string& bought, int rounds) {
  const auto attack = sybil(text);
  std::map<std::string, double> last;
  std::map<std::string, double> sums;
  for (int r = 1; r <= rounds; ++r) {
    last =
        craft(
            Comm::self(), *attack,
            {.honest = {{4, 4}, {1, 1}}, .members = 1, .level = Knowledge::own, .round = static_cast<std::uint32_t>(r)})
            .diagnostics;
    publish(*attack, {last.at(bought)}, {0, 0});
    if (r > rounds / 2) {
      for (const auto& [name, value] : last) sums[name] += value;
    }
  }
  return sums;
}

TEST(AdaptiveSeller, learns_the_behaviour_that_is_bought) {
  for (const std::string arm : {"honest", "reduce_norm", "add_noise", "stealthy_blend"}) {
    const auto counts = play("adaptive_seller { bandit { epsilon: 0.1 final_epsilon: 0 exploration: 20 } }", arm, 200);
    EXPECT_GT(counts.at(arm), 75.0) << arm;  // of the last 100 rounds
  }
}

TEST(AdaptiveSeller, tries_every_behaviour_once_before_it_compares) {
  const auto attack = sybil("adaptive_seller { bandit { epsilon: 0 final_epsilon: 0 } reduced: 0.5 blend: 0.75 }");
  const AttackRound round{.honest = {{4, 4}, {1, 1}}, .members = 1, .level = Knowledge::own};
  const auto next = [&] {
    const CraftedRows crafted = craft(Comm::self(), *attack, round);
    publish(*attack, {0}, {8, 0});
    return crafted.rows[0];
  };
  EXPECT_THAT(next(), ElementsAre(4, 4));
  EXPECT_THAT(next(), ElementsAre(2, 2));
  EXPECT_THAT(next(), testing::Not(ElementsAre(4, 4)));
  EXPECT_THAT(next(), ElementsAre(7, 1)) << "a quarter of {4, 4}, three of the last change {8, 0}";
}

TEST(AdaptiveSeller, takes_its_own_share_out_of_the_last_change) {
  const auto attack = sybil(
      "adaptive_seller { threat: GRADIENT_INVERSION blend: 1 "
      "bandit { epsilon: 0 final_epsilon: 0 bonus: 0 } }");
  const AttackRound round{.honest = {{4, 4}, {1, 1}}, .members = 1, .level = Knowledge::own};
  for (int r = 0; r < 3; ++r) {
    craft(Comm::self(), *attack, round);
    publish(*attack, {0, 1}, {0, 0}, {0, 1});
  }
  // The fourth arm: blends with 1/(1 - .25) ({3, 5} - .25 {4, 4}) from the round before, had it been published so.
  const auto again =
      sybil("adaptive_seller { threat: GRADIENT_INVERSION blend: 1 bandit { epsilon: 0 final_epsilon: 0 bonus: 0 } }");
  for (int r = 0; r < 2; ++r) {
    craft(Comm::self(), *again, round);
    publish(*again, {0, 1}, {0, 0}, {0, 1});
  }
  const Rows third = craft(Comm::self(), *again, round).rows;
  publish(*again, {1, 1}, {3, 5}, {0.25, 0.75});
  const CraftedRows fourth = craft(Comm::self(), *again, round);
  ASSERT_EQ(fourth.diagnostics.at("stealthy_blend"), 1.0);
  EXPECT_NEAR(fourth.rows[0][0], (3.0 - 0.25 * static_cast<double>(third[0][0])) / 0.75, 1e-5);
  EXPECT_NEAR(fourth.rows[0][1], (5.0 - 0.25 * static_cast<double>(third[0][1])) / 0.75, 1e-5);
}

/// A strategy saved after three rounds and loaded elsewhere goes on as if nothing had happened, on any rank count.
TEST(Sybils, go_on_from_a_saved_state_as_from_their_own) {
  for (const std::string text :
       {"sybil_mimic { memory { window: 3 roles: true } }", "camouflage { memory { window: 2 } }",
        "systematic_probe { memory { window: 2 } }", "competitor_mimicry { kind: AVERAGED }",
        "adaptive_seller { threat: GRADIENT_INVERSION }", "whitewash { after: 2 }"}) {
    Rows expected;
    for (const int ranks : {1, 2, 3}) {
      run_team(ranks, [&](const Comm& comm) {
        auto attack = sybil(text);
        Rows rows;
        for (std::uint32_t r = 1; r <= 6; ++r) {
          Rows honest = random_rows(5, 300);
          for (auto& row : honest) row[r] += 1.0F;
          const CraftedRows crafted =
              craft(comm, *attack, {.honest = honest, .members = 3, .level = Knowledge::all, .round = r});
          rows.insert(rows.end(), crafted.rows.begin(), crafted.rows.end());
          const std::vector<AgentId> agents{{0}, {1}, {2}, {3}, {4}};
          const std::vector<double> selected{r % 2 == 0 ? 1.0 : 0.0, 0, r % 3 == 0 ? 1.0 : 0.0, 1, 1};
          const std::vector<double> weights{selected[0] / 4, 0, selected[2] / 4, 0.25, 0.25};
          const ColumnVector step(comm, honest[3]);
          attack->observe({comm, {r}, agents, selected, weights, step, 300});
          if (r != 3) continue;
          SaveArchive saved;
          attack->serialize(saved, comm);
          if (ranks == 1) continue;  // the run that is not interrupted
          attack = sybil(text);
          LoadArchive load(saved.bytes());
          attack->serialize(load, comm);
          load.expect_end();
        }
        if (comm.rank() != 0) return;
        if (expected.empty()) expected = rows;
        EXPECT_EQ(rows, expected) << text << " on " << ranks << " ranks";
      });
    }
  }
}

}  // namespace
}  // namespace souk
