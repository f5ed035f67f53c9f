#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "attacks/sybil/bandit.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"

namespace souk::sybil_test {
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

// Every expectation: the winner goes on with {10, 20}; the loser mixes its {30, 50} with that.
TEST(SybilMixture, losers_follow_what_the_last_winners_would_submit_now_and_winners_go_on) {
  EXPECT_THAT(second_round(*sybil("sybil_mimic { alpha: 0.5 }")).rows,
              ElementsAre(ElementsAre(10, 20), ElementsAre(20, 35)));
  EXPECT_THAT(second_round(*sybil("pivot {}")).rows, ElementsAre(ElementsAre(10, 20), ElementsAre(10, 20)));
  EXPECT_THAT(second_round(*sybil("knock_out { alpha: 0.25 }")).rows[1], ElementsAre(20, 35));
  EXPECT_THAT(second_round(*sybil("knock_out { alpha: 0.7 }")).rows[1], ElementsAre(10, 20));
  EXPECT_THAT(second_round(*sybil("slowdown { scale: 0.1 }")).rows[1], ElementsAre(3, 5));
  EXPECT_THAT(second_round(*sybil("cost_inflation { scale: 1.5 }")).rows[1], ElementsAre(15, 30));
  EXPECT_THAT(second_round(*sybil("camouflage { alpha: 0.5 amplify: 2 }")).rows[1], ElementsAre(40, 70));
}

// The same with what won in the first round, {2, 4}.
TEST(SybilMixture, losers_follow_what_winners_submitted_where_they_are_told_to) {
  const std::string memory = " memory { followed: SUBMITTED } }";
  EXPECT_THAT(second_round(*sybil("sybil_mimic { alpha: 0.5" + memory)).rows,
              ElementsAre(ElementsAre(10, 20), ElementsAre(16, 27)));
  EXPECT_THAT(second_round(*sybil("pivot {" + memory)).rows, ElementsAre(ElementsAre(10, 20), ElementsAre(2, 4)));
  EXPECT_THAT(second_round(*sybil("cost_inflation { scale: 1.5" + memory)).rows[1], ElementsAre(3, 6));
  EXPECT_THAT(second_round(*sybil("camouflage { alpha: 0.5 amplify: 2" + memory)).rows[1], ElementsAre(32, 54));
}

TEST(SybilMixture, winners_follow_too_where_they_are_told_to) {
  EXPECT_THAT(second_round(*sybil("pivot { memory { followed: SUBMITTED winners_too: true } }")).rows,
              Each(ElementsAre(2, 4)));
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
  EXPECT_THAT(third_round("pivot { memory { followed: SUBMITTED } }"),
              ElementsAre(ElementsAre(7, 7), ElementsAre(9, 9)))
      << "nothing to follow";
  EXPECT_THAT(third_round("pivot { memory { followed: SUBMITTED window: 2 } }"), Each(ElementsAre(2, 4)));
}

TEST(SybilMixture, says_that_it_has_nobody_to_follow_or_to_lift) {
  const auto attack = sybil("pivot {}");
  const AttackRound round{.honest = {{2, 4}, {8, 8}, {1, 1}}, .members = 2, .level = Knowledge::colluders};
  EXPECT_EQ(craft(Comm::self(), *attack, round).idle, "has no winner to follow");
  publish(*attack, {1, 1, 1}, {0, 0});
  EXPECT_EQ(craft(Comm::self(), *attack, round).idle, "has nobody who lost");
  publish(*attack, {1, 0, 1}, {0, 0});
  EXPECT_EQ(craft(Comm::self(), *attack, round).idle, "");
}

TEST(SybilMixture, is_refused_where_it_changes_nothing) {
  for (const char* nothing : {"sybil_mimic { alpha: 0 }", "knock_out { alpha: 0 }", "slowdown { scale: 1 }",
                              "camouflage { alpha: 0 amplify: 1 }", "oracle_blend { alpha: 1 }"}) {
    EXPECT_THROW(sybil(nothing)->check(), InputError) << nothing;
  }
  for (const char* something :
       {"sybil_mimic {}", "pivot {}", "cost_inflation { scale: 1 }", "camouflage { alpha: 0 }"}) {
    EXPECT_NO_THROW(sybil(something)->check()) << something;
  }
}

TEST(SybilMixture, cuts_the_numbers_of_attackers_and_of_those_who_are_no_explorers) {
  // Nine members at 0.2 and 0.4: floor(1.8) = 1 attacker, and behind the first floor(5.4) = 5 come 4 explorers.
  const auto attack = sybil("slowdown { scale: 0.5 memory { roles: true exploration: 0.1 } }");
  const std::vector<float> own(50, 8.0F);
  const AttackRound round{.honest = Rows(10, own), .members = 9, .level = Knowledge::colluders};
  craft(Comm::self(), *attack, round);
  publish(*attack, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, std::vector<float>(50));
  const Rows rows = craft(Comm::self(), *attack, round).rows;
  std::size_t attackers = 0, hybrids = 0;
  for (const auto& row : rows) {
    attackers += row == own ? 1U : 0U;
    hybrids += row == std::vector<float>(50, 4.0F) ? 1U : 0U;
  }
  EXPECT_EQ(attackers, 1U);
  EXPECT_EQ(hybrids, 4U);
  EXPECT_EQ(rows.size() - attackers - hybrids, 4U);
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
  const AttackRound round{.honest = {{2, 4}, {3, 3}, {1, 1}}, .members = 2, .level = Knowledge::colluders};
  craft(Comm::self(), *attack, round);
  publish(*attack, {}, {0, 0});
  EXPECT_THAT(craft(Comm::self(), *attack, round).rows[0], ElementsAre(2, 4));
}

/// Of the rows it is asked about it selects those whose first coordinate is nearer to the largest than to the smallest;
/// its step is of no interest.
class UpperHalf final : public RuleProbe {
  ProbeResult judge(const ColumnMatrix& updates, std::span<const std::size_t> rows) override {
    ProbeResult result{ColumnVector(updates), std::vector<double>(updates.rows(), 0.0)};
    const auto first = [&](std::size_t i) { return updates.row(i)[0]; };
    if (rows.empty()) return result;
    const auto [least, most] = std::ranges::minmax(rows, {}, first);
    for (const std::size_t i : rows) result.weights[i] = 2 * first(i) >= first(least) + first(most) ? 1.0 : 0.0;
    return result;
  }
};

TEST(OracleBlend, blends_with_what_the_rule_selects_among_the_benign_updates) {
  // Beside two attackers at -0.5 the rule would take all six; of the benign ones it takes three, with mean {0.94, 3}.
  UpperHalf rule;
  const AttackRound round{
      .honest = {{-0.5F, 8}, {-0.52F, 8}, {0.95F, 2}, {0.94F, 3}, {0.93F, 4}, {0.62F, 9}, {0.61F, 9}, {0.60F, 9}},
      .members = 2,
      .level = Knowledge::rule,
      .rule = &rule};
  const CraftedRows whole = craft("oracle_blend { alpha: 0 }", round);
  EXPECT_THAT(whole.rows, Each(ElementsAre(FloatNear(0.94F, 1e-6F), FloatNear(3, 1e-6F))));
  EXPECT_EQ(whole.diagnostics.at("benign_selected"), 3.0);
  EXPECT_THAT(craft("oracle_blend { alpha: 0.25 }", round).rows[0],
              ElementsAre(FloatNear(0.25F * -0.5F + 0.75F * 0.94F, 1e-6F), FloatNear(4.25F, 1e-6F)));
}

TEST(OracleBlend, leaves_the_update_as_it_is_where_the_rule_selects_nobody) {
  class Nobody final : public RuleProbe {
    ProbeResult judge(const ColumnMatrix& updates, std::span<const std::size_t>) override {
      return {ColumnVector(updates), std::vector<double>(updates.rows(), 0.0)};
    }
  } rule;
  const CraftedRows crafted =
      craft("oracle_blend {}", {.honest = {{4, 8}, {1, 1}}, .members = 1, .level = Knowledge::rule, .rule = &rule});
  EXPECT_THAT(crafted.rows[0], ElementsAre(4, 8));
  EXPECT_THAT(crafted.idle, testing::HasSubstr("no benign update"));
}

TEST(SystematicProbe, tries_every_share_once_and_keeps_to_the_largest_that_passed) {
  const auto attack = sybil("systematic_probe { least: 0.2 probes: 5 }");  // shares .2 .4 .6 .8 1
  const AttackRound round{.honest = {{10, 0}, {1, 1}}, .members = 1, .level = Knowledge::colluders};
  std::vector<float> tried;
  for (int r = 0; r < 5; ++r) {
    tried.push_back(craft(Comm::self(), *attack, round).rows[0][0]);
    publish(*attack, {r == 2 ? 1.0 : 0.0}, {0, 0});  // only the share .6 passes
  }
  // It follows itself after the third round, in which it won: a {10, 0} + (1 - a) {10, 0}.
  EXPECT_THAT(tried, ElementsAre(FloatNear(2, 1e-5F), FloatNear(4, 1e-5F), FloatNear(6, 1e-5F), FloatNear(10, 1e-5F),
                                 FloatNear(10, 1e-5F)));
  EXPECT_NEAR(craft(Comm::self(), *attack, round).diagnostics.at("share"), 0.6, 1e-12);
}

TEST(SystematicProbe, forgets_a_try_of_which_nothing_is_published) {
  // A round in which its update did not arrive counts for nothing, also when it is seen in a later one without a try.
  const auto attack = sybil("systematic_probe { least: 0.2 probes: 5 }");
  const AttackRound round{.honest = {{10, 0}, {1, 1}}, .members = 1, .level = Knowledge::colluders};
  craft(Comm::self(), *attack, round);
  publish(*attack, {}, {0, 0});
  publish(*attack, {1.0}, {0, 0});
  EXPECT_NEAR(craft(Comm::self(), *attack, round).diagnostics.at("share"), 0.2, 1e-12) << "the first share again";
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
    const auto counts =
        play("adaptive_seller { noise: 0.5 bandit { epsilon: 0.1 final_epsilon: 0 exploration: 20 } }", arm, 200);
    EXPECT_GT(counts.at(arm), 75.0) << arm;  // of the last 100 rounds
  }
}

TEST(AdaptiveSeller, tries_every_behaviour_once_before_it_compares) {
  const AttackRound round{.honest = {{4, 4}, {1, 1}}, .members = 1, .level = Knowledge::own};
  const auto first_of = [&](const std::string& text, std::size_t rounds) {
    const auto attack = sybil("adaptive_seller { reduced: 0.5 blend: 0.75 " + text + " bandit { epsilon: 1 } }");
    publish(*attack, {0}, {8, 0});
    std::set<std::string> arms;
    for (std::size_t r = 0; r < rounds; ++r) {
      const CraftedRows crafted = craft(Comm::self(), *attack, round);
      publish(*attack, {0}, {8, 0});
      for (const auto& [arm, pulled] : crafted.diagnostics) {
        if (pulled > 0.0) arms.insert(arm);
      }
      if (crafted.diagnostics.at("reduce_norm") > 0.0) {
        EXPECT_THAT(crafted.rows[0], ElementsAre(2, 2));
      }
      if (crafted.diagnostics.at("stealthy_blend") > 0.0) {
        EXPECT_THAT(crafted.rows[0], ElementsAre(7, 1)) << "a quarter of {4, 4}, three of the last change {8, 0}";
      }
    }
    return arms;
  };
  EXPECT_THAT(first_of("", 3), ElementsAre("honest", "reduce_norm", "stealthy_blend"));
  EXPECT_THAT(first_of("noise: 0.5", 4), ElementsAre("add_noise", "honest", "reduce_norm", "stealthy_blend"));
}

TEST(AdaptiveSeller, takes_its_own_share_out_of_the_last_change) {
  const auto attack =
      sybil("adaptive_seller { threat: GRADIENT_INVERSION blend: 1 bandit { epsilon: 1 exploration: 99 } }");
  AttackRound round{.honest = {{4, 4}, {1, 1}}, .members = 1, .level = Knowledge::own};
  std::size_t blended = 0;
  std::vector<float> last;
  for (std::uint32_t r = 1; r <= 30; ++r) {
    round.round = r;
    const CraftedRows crafted = craft(Comm::self(), *attack, round);
    if (r > 1 && crafted.diagnostics.at("stealthy_blend") > 0.0) {  // 1/(1 - .25) ({3, 5} - .25 of what it submitted)
      for (std::size_t c = 0; c < 2; ++c) {
        EXPECT_NEAR(crafted.rows[0][c], ((c == 0 ? 3.0 : 5.0) - 0.25 * static_cast<double>(last[c])) / 0.75, 1e-5);
      }
      ++blended;
    }
    last = crafted.rows[0];
    publish(*attack, {1, 1}, {3, 5}, {0.25, 0.75});
  }
  EXPECT_GT(blended, 3U);
}

/// A bandit of two arms with a past: so many pulls and wins of each.
Bandits bandit_with(const std::string& text, const std::vector<std::pair<int, int>>& pulls_and_wins) {
  scenario::Bandit config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
  Bandits bandits(config, pulls_and_wins.size());
  std::vector<std::int64_t> outcomes;
  for (std::size_t arm = 0; arm < pulls_and_wins.size(); ++arm) {
    for (int pull = 0; pull < pulls_and_wins[arm].first; ++pull) {
      outcomes.insert(outcomes.end(), {static_cast<std::int64_t>(arm), pull < pulls_and_wins[arm].second ? 1 : 0});
    }
  }
  const auto rounds = static_cast<std::int64_t>(outcomes.size() / 2);
  std::vector<std::int64_t> members{0, rounds, rounds};
  SaveArchive saved;
  saved.field("bandits", members);
  saved.field("outcomes of bandits", outcomes);
  LoadArchive load(saved.bytes());
  bandits.serialize(load);
  return bandits;
}

std::size_t next_arm(Bandits bandits) {
  const Comm comm = Comm::self();
  const ColumnVector zeros(comm, std::vector<float>(2));
  return bandits.choose({.comm = comm, .round = {100}, .seed = 1, .global = zeros, .change = zeros}, {0});
}

TEST(Bandit, prefers_what_is_selected_more_often_and_a_gain_may_turn_that) {
  // Means 1.0 and 0.9 over ten pulls each; with 0.2 more for what is not honest, 1.0 and 1.08.
  const std::string greedy = "epsilon: 0 final_epsilon: 0";
  EXPECT_EQ(next_arm(bandit_with(greedy, {{10, 10}, {10, 9}})), 0U);
  EXPECT_EQ(next_arm(bandit_with(greedy + " gain: 0.2", {{10, 10}, {10, 9}})), 1U);
  EXPECT_EQ(next_arm(bandit_with(greedy, {{40, 38}, {2, 2}})), 1U) << "rarely tried: 0.95 + 0.22 against 1 + 0.97";
}

TEST(Bandit, forgets_what_is_older_than_its_window) {
  Bandits bandits = bandit_with("epsilon: 0 final_epsilon: 0 window: 2", {{1, 1}, {1, 1}});
  const Comm comm = Comm::self();
  const ColumnVector zeros(comm, std::vector<float>(2));
  const std::vector<AgentId> agents{{0}};
  const std::vector<double> won{1.0};
  std::vector<std::size_t> arms;
  for (std::uint32_t r = 1; r <= 4; ++r) {
    arms.push_back(bandits.choose({.comm = comm, .round = {r}, .seed = 1, .global = zeros, .change = zeros}, {0}));
    bandits.observe({comm, {r}, agents, won, {}, zeros, 2});
  }
  EXPECT_THAT(arms, ElementsAre(0, 0, 1, 0)) << "ties to the first; then the second has left the window";
}

TEST(Bandit, explores_for_so_many_rounds_and_then_at_once_no_more) {
  // Arm 1 always pays. After 30 rounds of blind choices it is taken every time.
  Bandits bandits = bandit_with("epsilon: 1 final_epsilon: 0 exploration: 30 bonus: 0", {{1, 0}, {1, 1}});
  const Comm comm = Comm::self();
  const ColumnVector zeros(comm, std::vector<float>(2));
  const std::vector<AgentId> agents{{0}};
  std::size_t wrong_early = 0, wrong_late = 0;
  for (std::uint32_t r = 3; r <= 200; ++r) {
    const auto arm = bandits.choose({.comm = comm, .round = {r}, .seed = 1, .global = zeros, .change = zeros}, {0});
    if (arm == 0) ++(r <= 30 ? wrong_early : wrong_late);
    bandits.observe({comm, {r}, agents, std::vector<double>{static_cast<double>(arm)}, {}, zeros, 2});
  }
  EXPECT_GT(wrong_early, 5U);
  EXPECT_EQ(wrong_late, 0U);
}

/// A strategy saved after three rounds and loaded elsewhere goes on as if nothing had happened, on any rank count.
TEST(Sybils, go_on_from_a_saved_state_as_from_their_own) {
  for (const std::string text :
       {"sybil_mimic { memory { window: 3 roles: true } }", "camouflage { memory { followed: SUBMITTED window: 2 } }",
        "camouflage {}", "systematic_probe { memory { followed: SUBMITTED window: 2 } }",
        "competitor_mimicry { kind: AVERAGED }", "adaptive_seller { threat: GRADIENT_INVERSION }",
        "whitewash { after: 2 }"}) {
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
}  // namespace souk::sybil_test
