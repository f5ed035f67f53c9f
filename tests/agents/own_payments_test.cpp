// Payments and valuations in Python, against those of Souk's own that say the same.
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "agents/market/payment.hpp"
#include "tests/support/own_code.hpp"
#include "tests/support/simulated.hpp"

namespace souk::own_payments_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OwnPayments : public testing::Test {
 protected:
  void SetUp() override {
    if (without_python()) GTEST_SKIP() << "this build has no Python";
  }

  /// A field of the market whose function has this file.
  static std::string own(const std::string& field, const std::string& text, const std::string& more = "") {
    return field + " { file: \"" + own_file(text, field + ".py") + "\" " + more + " }";
  }
  static std::string payment(const std::string& text, const std::string& more = "") {
    return own("python_payment", text, more);
  }
  static std::string valuation(const std::string& text) { return own("python_valuation", text); }

  static std::unique_ptr<PaymentRule> rule(const std::string& market) {
    return make_payment_rule(resolve_scenario({"test", "market { " + market + " }", {}}).scenario->market());
  }
  static std::vector<MicroCredits> paid(const std::string& market, MicroCredits available) {
    const std::vector<Purchase> bought{{.seller = {4}, .weight = 0.5, .cosine = 0.9, .value = 3.0},
                                       {.seller = {7}, .weight = 0.3, .cosine = -0.2, .value = -1.0},
                                       {.seller = {9}, .weight = 0.2, .cosine = 0.25, .value = 1.0}};
    return rule(market)->pay(bought, available);
  }
  static std::string refusal(const std::string& market, MicroCredits available = 9'000'000) {
    try {
      paid(market, available);
    } catch (const InputError& error) {
      return error.what();
    }
    return "none";
  }

  static std::string scenario_with(const std::string& market) {
    return "rounds: 3 task { data { glyphs { train_samples: 240 test_samples: 60 } } model { mlp { hidden: 12 } } "
           "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 6 per_round: 5 } "
           "root { samples: 40 } aggregator { mean {} } market { round_budget: 12 " +
           market + " } attacks { members { id: 1 } sign_flip {} }";
  }
  /// Millionths of a credit for each update, in the order of rounds and sellers.
  static std::vector<double> payments_in(const Simulated& run) {
    std::vector<double> amounts;
    for (const RoundRecord& record : run.records) {
      for (const auto& transfer : record.transfers) {
        if (transfer.kind == "payment") amounts.push_back(static_cast<double>(transfer.micro_credits));
      }
    }
    return amounts;
  }
  /// All that was booked: kind, payer, payee, amount.
  static std::vector<std::string> booked(const std::string& text, int ranks = 1) {
    std::vector<std::string> all;
    for (const RoundRecord& record : simulate(text, ranks).records) {
      for (const auto& transfer : record.transfers) {
        all.push_back(
            fmt::format("{} {} {} {}", transfer.kind, transfer.payer, transfer.payee, transfer.micro_credits));
      }
    }
    return all;
  }
};

TEST_F(OwnPayments, pay_what_the_function_answers) {
  EXPECT_THAT(paid(payment("def pay(sellers, weights, price): return price + weights * (sellers == 7)",
                           "highest_price: 2 settings { name: \"price\" number: 1.5 }"),
                   9'000'000),
              ElementsAre(1'500'000, 1'800'000, 1'500'000));
  EXPECT_THAT(
      paid(payment("def pay(cosines, values, available): return available * values * (cosines > 0) / 8"), 8'000'000),
      ElementsAre(3'000'000, 0, 1'000'000));
}

TEST_F(OwnPayments, round_to_millionths_and_never_above_what_there_is) {
  EXPECT_THAT(paid(payment("def pay(sellers): return [1.4e-6, 1.6e-6, 0]"), 10), ElementsAre(1, 2, 0));
  EXPECT_THAT(
      paid(payment("def pay(sellers, available): return [available / 6, available / 6, available * 4 / 6]"), 10),
      ElementsAre(1, 1, 6));
}

TEST_F(OwnPayments, say_what_they_need) {
  const auto split = rule(payment("def pay(weights): return 0 * weights"));
  EXPECT_TRUE(split->splits_a_sum());
  EXPECT_FALSE(split->needs_cosine() || split->needs_valuation());
  const auto each = rule(payment("def pay(cosines, values): return 0 * values", "highest_price: 2"));
  EXPECT_FALSE(each->splits_a_sum());
  EXPECT_EQ(each->highest_price(), 2'000'000);
  EXPECT_TRUE(each->needs_cosine() && each->needs_valuation());
}

TEST_F(OwnPayments, refuse_what_is_no_price) {
  EXPECT_THAT(refusal(payment("def pay(weights): return weights - 0.4")),
              HasSubstr("pay answers -0.10000000000000003 credits for update 1, must not be negative"));
  EXPECT_THAT(refusal(payment("def pay(weights): return weights / 0")), HasSubstr("prices that is not finite"));
  EXPECT_THAT(refusal(payment("def pay(weights): return 100 * weights")),
              HasSubstr("pay answers 50 credits for update 0, and at most 9 were put into escrow"));
  EXPECT_THAT(refusal(payment("def pay(weights): return 0 * weights + 4")),
              HasSubstr("pay answers 12 credits in all, and 9 were put into escrow"));
  EXPECT_THAT(refusal(payment("def pay(weights): return 0 * weights + 3", "highest_price: 2")),
              HasSubstr("pay answers 3 credits for update 0, and at most 2 were put aside for one (highest_price)"));
  EXPECT_THAT(refusal(payment("def pay(weights): return weights[1:]")), HasSubstr("of the shape (2,), must be (3,)"));
  EXPECT_THAT(refusal(payment("def pay(weights): pass")), HasSubstr("must answer prices and nothing else"));
  EXPECT_THAT(refusal(payment("def pay(weigths): return weigths")), HasSubstr("Did you mean 'weights'?"));
  EXPECT_THAT(refusal("python_payment {}"), HasSubstr("market.python_payment.file: is empty"));
  EXPECT_THAT(refusal_of(scenario_with("python_valuation {}")), HasSubstr("market.python_valuation.file: is empty"));
}

TEST_F(OwnPayments, book_what_our_own_that_say_the_same_do) {
  const std::string own_payment = payment(
      "import numpy as np\n"
      "def pay(values, available):\n"
      "  shares = np.maximum(values, 0)\n"
      "  return available * shares / shares.sum() if shares.any() else shares");
  const std::vector<std::pair<std::string, std::string>> same{
      {"loo {}", "def value(together, without): return together - without"},
      {"influence {}", "def value(alone): return alone"},
      {"cosine {}",
       "import numpy as np\n"
       "def value(updates, root_update, norms, gram, cosines):\n"
       "  x, r = updates.astype(float), root_update.astype(float)\n"
       "  assert np.allclose(norms, np.linalg.norm(x, axis=1)) and np.allclose(gram, x @ x.T)\n"
       "  assert np.allclose(cosines, x @ r / norms / np.linalg.norm(r))\n"
       "  return cosines"}};
  for (const auto& [ours, function] : same) {
    const auto expected = booked(scenario_with("equal_split {} " + ours));
    const std::string text = scenario_with("equal_split {} " + valuation(function));
    EXPECT_EQ(booked(text), expected) << ours;
    // Our own rounds so that nothing is left over: shares of a sum differ by some millionths.
    const auto of_contributions = payments_in(simulate(scenario_with("contribution_proportional {} " + ours)));
    const auto of_own = payments_in(simulate(scenario_with(own_payment + " " + valuation(function)), 2));
    EXPECT_THAT(of_own, testing::Pointwise(testing::DoubleNear(5.0), of_contributions)) << ours;
    EXPECT_THAT(of_own, testing::Contains(testing::Gt(0.0))) << ours;
  }
}

TEST_F(OwnPayments, book_the_same_on_any_number_of_ranks) {
  // Without `random`, the clock would do as well: rank 0 alone is asked.
  const std::string text = scenario_with(
      payment("import time\ndef pay(weights, available): return weights * 0 + time.monotonic() % 0.001",
              "highest_price: 1") +
      valuation(
          "def value(sellers, samples, random, round): return random.normal(size=len(sellers)) + round + samples"));
  EXPECT_EQ(simulate(text, 3).hash, simulate(text).hash);
  const std::string drawn = scenario_with(
      payment("def pay(values): return (values % 1 + 1) / 2", "highest_price: 1") +
      valuation(
          "def value(sellers, samples, random, round): return random.normal(size=len(sellers)) + round + samples"));
  EXPECT_EQ(booked(drawn, 3), booked(drawn));
}

}  // namespace
}  // namespace souk::own_payments_test
