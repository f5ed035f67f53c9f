// Several buyers on one market, and buyers that cheat.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "agents/market/ledger.hpp"
#include "tests/agents/market_rounds.hpp"

namespace souk::marketplace_buyers_test {
namespace {

using testing::HasSubstr;

TEST(Marketplace, a_rivals_rule_and_lies_leave_the_first_buyers_model_alone) {
  const auto with_rival = [](const std::string& rival) {
    return run(market("unit_price {} rivals { name: \"b\" root { samples: 40 always: true } " + rival + " }",
                      "aggregator { fltrust {} }"))
        .hash;
  };
  const std::string honest = with_rival("aggregator { mean {} }");
  EXPECT_EQ(honest, with_rival("aggregator { fltrust {} } misconduct { dos {} }"));
  EXPECT_EQ(honest, with_rival("aggregator { martfl {} } budget: 5"));
}

TEST(Marketplace, buyers_hold_different_samples_and_record_under_their_names) {
  const Rounds both =
      run(market("unit_price {} rivals { name: \"b\" root { samples: 40 } aggregator { fltrust {} } budget: 12 }",
                 "aggregator { fltrust {} }"));
  std::uint64_t dealt = 0;
  for (const AgentRow& seller : both.set_up.agents) dealt += seller.samples;
  EXPECT_EQ(dealt, 700u - 60u - 40u);
  const RoundRecord& last = both.rounds.back();
  EXPECT_TRUE(last.metric("accuracy") && last.metric("buyer.b.accuracy"));
  EXPECT_NE(last.metric("loss"), last.metric("buyer.b.loss"));
  std::map<std::int64_t, MicroCredits> spent;
  for (const RoundRecord& round : both.rounds) {
    for (const TransferRow& row : round.transfers) {
      if (row.kind == "escrow") spent[row.payer] += row.micro_credits;
      if (row.kind == "refund") spent[row.payee] -= row.micro_credits;
    }
  }
  EXPECT_LE(spent[account::buyer - 1], to_micro(12));
  EXPECT_EQ(to_credits(spent[account::buyer]), both.sum("spent"));
  EXPECT_EQ(to_credits(spent[account::buyer - 1]), both.sum("buyer.b.spent"));
}

TEST(Marketplace, exclusive_sellers_serve_one_buyer_a_round_and_shared_ones_all) {
  for (const bool exclusive : {true, false}) {
    const Rounds both =
        run(market(std::string("unit_price {} rivals { name: \"b\" } sale: ") + (exclusive ? "EXCLUSIVE" : "SHARED")));
    for (const RoundRecord& round : both.rounds) {
      std::map<std::int64_t, std::set<std::int64_t>> buyers_of;
      std::size_t sales = 0;
      std::set<std::int64_t> weighed_by_rival, asked_by_rival;
      for (const SelectionRow& row : round.selections) {
        buyers_of[row.agent.value].insert(row.buyer);
        if (row.buyer == account::buyer - 1) asked_by_rival.insert(row.agent.value);
      }
      sales += round.selections.size();
      for (const MetricValue& m : round.metrics) {
        if (m.name == "buyer.b.weight") weighed_by_rival.insert(m.agent);
      }
      EXPECT_EQ(asked_by_rival, weighed_by_rival);
      // Whom the escrow pays for a buyer is whom that buyer took.
      for (const TransferRow& row : round.transfers) {
        if (row.kind == "payment") {
          EXPECT_TRUE(buyers_of[row.payee].contains(row.buyer)) << row.payee;
        }
        if (row.kind == "escrow") {
          EXPECT_EQ(row.buyer, row.payer);
        }
      }
      EXPECT_EQ(buyers_of.size(), 8u);
      EXPECT_EQ(sales, exclusive ? 8u : 16u);
    }
  }
}

TEST(Marketplace, denial_of_service_buys_nothing_and_leaves_sellers_with_their_costs) {
  const auto rational = [](const std::string& misconduct) {
    return run(market("unit_price {} costs { per_round: 0.5 } " + misconduct, "aggregator { fltrust {} }"))
        .rounds.back()
        .metric("individual_rationality")
        .value();
  };
  EXPECT_GT(rational(""), 0.9);
  EXPECT_EQ(rational("misconduct { dos {} }"), 0.0);
  EXPECT_EQ(run(market("unit_price {} misconduct { dos {} }", "aggregator { fltrust {} }")).sum("spent"), 0.0);
}

TEST(Marketplace, misconduct_keeps_to_its_rounds) {
  const Rounds dos =
      run(market("unit_price {} misconduct { dos {} from_round: 2 to_round: 3 }", "aggregator { fltrust {} }"));
  EXPECT_GT(dos.rounds[0].metric("spent").value(), 0.0);
  EXPECT_EQ(dos.rounds[1].metric("spent"), 0.0);
  EXPECT_EQ(dos.rounds[2].metric("spent"), 0.0);
  EXPECT_GT(dos.rounds[3].metric("spent").value(), 0.0);
}

TEST(Marketplace, an_audit_finds_every_update_used_and_denied_and_the_deposit_goes_to_its_seller) {
  const Rounds honest = run(market("deposit_penalty { buyer_deposit: 3 } round_budget: 4 audit { probability: 1 }"));
  EXPECT_EQ(honest.sum("audited"), 4.0);
  EXPECT_EQ(honest.sum("audit_findings"), 0.0);
  const Rounds cheat =
      run(market("deposit_penalty { buyer_deposit: 3 } round_budget: 4 misconduct { underpay { share: 0.4 } } "
                 "audit { probability: 1 }"));
  EXPECT_EQ(cheat.hash, honest.hash) << "it uses what it denies";
  for (const RoundRecord& round : cheat.rounds) {
    EXPECT_EQ(round.metric("denied"), round.metric("audit_findings"));
    MicroCredits penalty = 0;
    for (const TransferRow& row : round.transfers) penalty += row.kind == "penalty" ? row.micro_credits : 0;
    EXPECT_EQ(penalty, to_micro(3));
  }
  EXPECT_THAT(refusal(market("audit { probability: 1 }", "server { fed_adam {} }")), HasSubstr("market.audit"));
}

TEST(Marketplace, a_buyer_that_denies_keeps_what_it_would_have_paid) {
  for (const char* payment : {"unit_price {}", "equal_split {}", "weight_proportional {}", "deposit_penalty {}"}) {
    const std::string text = std::string(payment) + " round_budget: 8";
    const Rounds honest = run(market(text)), cheat = run(market(text + " misconduct { underpay { share: 0.5 } }"));
    EXPECT_NEAR(honest.sum("spent"), 32.0, 1e-4) << payment;
    EXPECT_NEAR(cheat.sum("spent"), 16.0, 5.0) << payment;  // weights differ a little
    EXPECT_EQ(cheat.sum("bought"), 16.0) << payment;
  }
}

TEST(Marketplace, a_buyer_stops_when_its_model_is_good_enough_on_its_own_data) {
  const Rounds easy = run(market("unit_price {} target_accuracy: 0.05"));
  EXPECT_EQ(easy.rounds.size(), 1u);
  EXPECT_EQ(easy.rounds.front().stop, Stop::target);
  // Its rival goes on, and both are tested in the last round.
  const Rounds both = run(market("unit_price {} target_accuracy: 0.05 rivals { name: \"b\" }"));
  ASSERT_EQ(both.rounds.size(), 4u);
  EXPECT_FALSE(both.rounds[1].metric("spent").has_value());
  EXPECT_TRUE(both.rounds[3].metric("accuracy") && both.rounds[3].metric("buyer.b.spent"));
}

}  // namespace
}  // namespace souk::marketplace_buyers_test
