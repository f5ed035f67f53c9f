// Attacks in Python, against the same of Souk's own, and what they are granted.
#include <gmock/gmock.h>

#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/attack_world.hpp"
#include "tests/support/own_code.hpp"

namespace souk::python_attack_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class PythonAttacks : public testing::Test {
 protected:
  void SetUp() override {
    if (without_python()) GTEST_SKIP() << "this build has no Python";
  }
  static std::string group(const std::string& text) { return "python { file: \"" + own_file(text) + "\" }"; }
  static std::unique_ptr<UpdateAttack> attack_of(const std::string& group) {
    return std::move(make_update_attacks(attack_group(group)).front());
  }
  /// Writes its file: not for several threads at once.
  static std::unique_ptr<UpdateAttack> attack(const std::string& text) { return attack_of(group(text)); }
  static std::string refusal(const std::string& text) {
    try {
      attack(text)->check();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(PythonAttacks, sign_flip_is_souks_on_any_number_of_ranks) {
  const AttackRound world{.honest = random_rows(6, 5000), .members = 2};
  const Rows expected = craft("sign_flip {}", world).rows;
  const std::string flip = group("def craft(own): return -own");
  for (const int ranks : {1, 2, 3, 7}) {
    run_team(ranks, [&](const Comm& comm) {
      const auto own = attack_of(flip);
      EXPECT_EQ(craft(comm, *own, world).rows, expected) << ranks << " ranks";
    });
  }
}

TEST_F(PythonAttacks, one_row_is_every_members) {
  const CraftedRows crafted =
      craft(group("def craft(known): return {'updates': known.mean(axis=0), 'diagnostics': {'k': len(known)}}"),
            {.honest = {{9, 9}, {9, 9}, {1, 2}, {3, 6}}, .members = 2});
  EXPECT_THAT(crafted.rows, ElementsAre(ElementsAre(2, 4), ElementsAre(2, 4)));
  EXPECT_EQ(crafted.diagnostics.at("k"), 2);
}

TEST_F(PythonAttacks, know_what_the_group_is_granted) {
  const std::string text =
      group("def craft(own, known): return {'updates': own, 'diagnostics': {'known': len(known)}}");
  const AttackRound all{.honest = random_rows(5, 10), .members = 2};
  AttackRound colluders = all, own = all;
  colluders.level = Knowledge::colluders;
  own.level = Knowledge::own;
  EXPECT_EQ(craft(text, all).diagnostics.at("known"), 3);
  EXPECT_EQ(craft(text, colluders).diagnostics.at("known"), 2);
  EXPECT_EQ(craft(text, own).diagnostics.at("known"), 1);
}

TEST_F(PythonAttacks, that_ask_for_the_root_update_need_to_know_the_rule) {
  const auto asks = attack("def craft(root_update): return root_update");
  EXPECT_EQ(asks->needs().least, Knowledge::rule);
  EXPECT_TRUE(asks->needs().root_update);
  EXPECT_EQ(asks->usual(), Knowledge::rule);
  const auto asks_not = attack("def craft(own): return own");
  EXPECT_EQ(asks_not->needs().least, Knowledge::own);
  EXPECT_FALSE(asks_not->needs().root_update);
  EXPECT_EQ(asks_not->usual(), Knowledge::colluders);
  EXPECT_THAT(
      craft(Comm::self(), *asks, {.honest = {{1, 2}, {3, 4}}, .level = Knowledge::rule, .root_update = {5, 6}}).rows,
      ElementsAre(ElementsAre(5, 6)));
}

TEST_F(PythonAttacks, members_that_share_nothing_remember_for_themselves_alone) {
  const std::string text =
      "def craft(own, state, members):\n"
      "  state['seen'] = state.get('seen', 0) + 1\n"
      "  return own * 0 + state['seen']\n";
  AttackRound world{.honest = random_rows(4, 2), .members = 2, .level = Knowledge::own};
  const auto alone = attack(text);
  craft(Comm::self(), *alone, world);
  EXPECT_THAT(craft(Comm::self(), *alone, world).rows, ElementsAre(ElementsAre(2, 2), ElementsAre(2, 2)));
  world.level = Knowledge::colluders;
  const auto together = attack(text);
  craft(Comm::self(), *together, world);
  EXPECT_THAT(craft(Comm::self(), *together, world).rows, ElementsAre(ElementsAre(2, 2), ElementsAre(2, 2)));
  SaveArchive save;
  alone->serialize(save, Comm::self());
  const std::string again = group(text);
  run_team(2, [&](const Comm& comm) {
    const auto resumed = attack_of(again);
    LoadArchive load(save.bytes());
    resumed->serialize(load, comm);
    AttackRound own = world;
    own.level = Knowledge::own;
    EXPECT_THAT(craft(comm, *resumed, own).rows, ElementsAre(ElementsAre(3, 3), ElementsAre(3, 3)));
  });
}

TEST_F(PythonAttacks, draw_by_member_and_round) {
  const std::string text = "def craft(own, random): return own * 0 + random.normal(size=own.shape)";
  AttackRound world{.honest = random_rows(4, 3), .members = 2, .level = Knowledge::own};
  const Rows first = craft(group(text), world).rows;
  EXPECT_NE(first[0], first[1]);
  EXPECT_EQ(craft(group(text), world).rows, first);
  world.round = 2;
  EXPECT_NE(craft(group(text), world).rows, first);
}

TEST_F(PythonAttacks, that_answer_none_leave_updates_as_they_are) {
  const CraftedRows crafted = craft(group("def craft(): pass"), {.honest = {{1, 2}, {3, 4}}});
  EXPECT_THAT(crafted.rows, ElementsAre(ElementsAre(1, 2)));
  EXPECT_EQ(crafted.idle, "craft answered None");
}

TEST_F(PythonAttacks, are_refused_with_the_field_file_and_line) {
  EXPECT_EQ(refusal("def craft(own): pass"), "");
  EXPECT_THAT(refusal("def craft(ownn): pass"), StartsWith("python.file: "));
  EXPECT_THAT(refusal("def craft(ownn): pass"), HasSubstr("own.py:1: craft asks for 'ownn'"));
  EXPECT_THROW(craft(group("def craft(own): return own[0, :1]"), {.honest = {{1, 2}, {3, 4}}}), PhaseError);
  EXPECT_THROW(craft(group("def craft(own): return own * float('nan')"), {.honest = {{1, 2}, {3, 4}}}), PhaseError);
  const auto nothing = std::move(make_update_attacks(attack_group("python {}")).front());
  EXPECT_THROW(nothing->check(), InputError);
}

}  // namespace
}  // namespace souk::python_attack_test
