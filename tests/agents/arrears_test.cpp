// Sellers who are paid once in so many rounds, and by what a served model earns.
#include "agents/market/arrears.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "agents/market/royalties.hpp"
#include "tests/agents/market_rounds.hpp"
#include "tests/support/simulated.hpp"

namespace souk::arrears_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// Of one kind in rounds from `first` to `last`, by payee and buyer.
std::map<std::pair<std::int64_t, std::int64_t>, MicroCredits> sums(const std::vector<RoundRecord>& rounds,
                                                                   const std::string& kind, std::uint32_t first,
                                                                   std::uint32_t last) {
  std::map<std::pair<std::int64_t, std::int64_t>, MicroCredits> all;
  for (const RoundRecord& round : rounds) {
    if (round.round.value < first || round.round.value > last) continue;
    for (const TransferRow& row : round.transfers) {
      if (row.kind == kind) all[{row.payee, row.buyer}] += row.micro_credits;
    }
  }
  return all;
}

/// Whom the market keeps money for at the end, of all accounts.
MicroCredits left_at_market(const std::vector<RoundRecord>& rounds) {
  MicroCredits left = 0;
  for (const RoundRecord& round : rounds) {
    for (const TransferRow& row : round.transfers) {
      if (row.payee == account::market) left += row.micro_credits;
      if (row.payer == account::market) left -= row.micro_credits;
    }
  }
  return left;
}

TEST(Arrears, sums_are_what_the_rounds_would_have_paid) {
  const std::string buyers = "round_budget: 4 rivals { name: \"b\" aggregator { median {} } round_budget: 3 } ";
  const Rounds at_once = run(market("weight_proportional {} " + buyers));
  const Rounds later = run(market("weight_proportional {} arrears: 3 " + buyers));
  EXPECT_EQ(at_once.hash, later.hash);
  EXPECT_THAT(sums(later.rounds, "payment", 1, 2), IsEmpty());
  EXPECT_EQ(sums(later.rounds, "payment", 3, 3), sums(at_once.rounds, "payment", 1, 3));
  EXPECT_EQ(sums(later.rounds, "payment", 4, 4), sums(at_once.rounds, "payment", 4, 4)) << "the run ends";
  EXPECT_EQ(left_at_market(later.rounds), 0);
  for (const char* metric : {"spent", "buyer.b.spent"}) EXPECT_EQ(later.sum(metric), at_once.sum(metric));
}

TEST(Arrears, a_run_that_its_budget_ends_owes_nobody) {
  const Rounds later = run(market("unit_price {} budget: 20 arrears: 4"));
  EXPECT_LT(later.rounds.size(), 4U);
  EXPECT_EQ(left_at_market(later.rounds), 0);
  MicroCredits paid = 0;
  for (const auto& [who, sum] : sums(later.rounds, "payment", 1, 4)) paid += sum;
  EXPECT_EQ(paid, 20 * micro_per_credit);
}

TEST(Arrears, are_the_same_on_three_ranks_and_after_a_resume) {
  const std::string text = market("weight_proportional {} arrears: 3 round_budget: 4");
  const Simulated alone = simulate(text);
  EXPECT_EQ(alone.state, simulate(text, 3).state);
  EXPECT_EQ(alone.state, simulate(text, 2, 2).state);
}

TEST(Arrears, who_is_forgotten_is_paid_and_gives_back_of_that) {
  const Rounds rounds = run(market("unit_price { price: 2 } arrears: 4",
                                   "unlearning { requests { round: 3 clients { ids: 1 } no_update {} } "
                                   "settlement { refund: 0.5 } }"));
  EXPECT_THAT(sums(rounds.rounds, "payment", 3, 3), ElementsAre(Pair(Pair(1, first_buyer), 4 * micro_per_credit)));
  EXPECT_EQ(rounds.rounds[2].metric("settlement.refunded"), 2.0);  // half of two rounds at 2 credits
  EXPECT_EQ(sums(rounds.rounds, "payment", 4, 4).count({1, first_buyer}), 0U);
  EXPECT_EQ(left_at_market(rounds.rounds), 0);
}

TEST(Arrears, are_refused_where_sellers_learn_of_single_rounds) {
  for (const std::string more : {"sellers { rational {} }", "sellers { adaptive_ask {} }", "sale: EXCLUSIVE"}) {
    EXPECT_THAT(refusal(market("unit_price {} arrears: 2 " + more)), HasSubstr("market.arrears: ")) << more;
  }
  EXPECT_THAT(refusal(market("deposit_penalty {} round_budget: 4 arrears: 2")), HasSubstr("market.arrears: deposits"));
  EXPECT_THAT(refusal(market("sparsified_model {} cosine {} arrears: 2")), HasSubstr("pays no money"));
}

SellerRound bought(std::uint32_t seller, double weight) {
  return {.seller = {seller}, .bought = true, .weight = weight};
}

TEST(Royalties, go_by_weights_of_all_rounds) {
  Ledger ledger;
  Royalties royalties(0.5, 4, ledger);
  royalties.note(std::vector{bought(0, 2.0), bought(2, 6.0)});                  // 1/4, 3/4
  royalties.note(std::vector{bought(0, 1.0), bought(1, 1.0), bought(3, 0.0)});  // 1/2, 1/2
  royalties.note(std::vector<SellerRound>{});
  RoundRecord record;
  record.transfers.push_back({"query", -1000, first_buyer, 16'000'000, first_buyer});
  royalties.pay(record);
  EXPECT_EQ(record.metric("royalties"), 8.0);
  EXPECT_EQ(ledger.balance(0), 3'000'000);
  EXPECT_EQ(ledger.balance(1), 2'000'000);
  EXPECT_EQ(ledger.balance(2), 3'000'000);
  EXPECT_EQ(ledger.balance(3), 0);
  EXPECT_EQ(ledger.balance(account::buyer), 0);

  royalties.forget(std::vector{AgentId{2}});
  RoundRecord next;
  next.transfers.push_back({"query", -1000, first_buyer, 1, first_buyer});
  next.transfers.push_back({"query", -1000, first_buyer, 9'999'999, first_buyer});
  royalties.pay(next);
  EXPECT_EQ(ledger.balance(0) - 3'000'000, 3'000'000);
  EXPECT_EQ(ledger.balance(1) - 2'000'000, 2'000'000);
  EXPECT_EQ(ledger.balance(2), 3'000'000) << "what was forgotten earns nothing any more";
}

TEST(Royalties, of_nobody_stay_with_the_buyer) {
  Ledger ledger;
  Royalties royalties(1.0, 2, ledger);
  RoundRecord record;
  record.transfers.push_back({"query", -1000, first_buyer, 5, first_buyer});
  royalties.pay(record);
  EXPECT_EQ(record.transfers.size(), 1U);
  EXPECT_EQ(record.metric("royalties"), std::nullopt);
}

/// Silos whose model is served from round 3 on, one of which withdraws before round 5.
std::string served(const std::string& market) {
  return "rounds: 6 task { data { communities { custom { nodes: 200 edges: 600 } graph { sight: OWN_NODES } } "
         "scaling: RAW } model { gcn { hidden: 4 } } training { batch_size: 0 learning_rate: 0.5 } } "
         "participants { clients: 5 everyone: true } market { unit_price {} " +
         market +
         " } unlearning { requests { round: 5 clients { ids: 2 } no_update {} } } service { from_round: 3 principals { "
         "name: \"p\" rights: [READ_ANY] prices { read: 0.01 } } attacks { principal: \"p\" balanced { edges: 20 } "
         "link_stealing {} } }";
}

TEST(Royalties, sellers_of_a_served_model_have_their_part_until_they_are_forgotten) {
  const Simulated run = simulate(served("royalties: 0.3"));
  MicroCredits before = 0, after = 0;
  for (const RoundRecord& record : run.records) {
    MicroCredits taken = 0, passed_on = 0;
    for (const TransferRow& row : record.transfers) {
      if (row.kind == "query") taken += row.micro_credits;
      if (row.kind != "royalty") continue;
      passed_on += row.micro_credits;
      if (row.payee == 2) (record.round.value < 5 ? before : after) += row.micro_credits;
    }
    EXPECT_EQ(passed_on, taken * 3 / 10) << record.round.value;
    EXPECT_EQ(taken > 0, record.round.value >= 3) << record.round.value;
  }
  EXPECT_GT(before, 0);
  EXPECT_EQ(after, 0);
  EXPECT_EQ(simulate(served("")).hash, run.hash);
  EXPECT_EQ(simulate(served("royalties: 0.3"), 2, 3).state, run.state);
}

TEST(Royalties, want_somebody_who_pays_for_answers) {
  EXPECT_THAT(refusal(market("unit_price {} royalties: 0.1")), HasSubstr("market.royalties: nobody pays for answers"));
}

}  // namespace
}  // namespace souk::arrears_test
