// What coalitions of a round's updates are worth: by hand, by copies of rules, on any number of ranks.
#include "agents/market/round_worth.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include "agents/market/valuation.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/matrices.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::round_worth_test {
namespace {

using Values = std::vector<double>;

/// A round of six updates of 40 values, whose samples differ, and a loss that a hand can compute.
class WorthRound {
 public:
  WorthRound(Comm comm, const std::string& rule, std::size_t n = 6)
      : comm_(std::move(comm)),
        rows_(random_rows(n, 40)),
        matrix_(comm_, rows_),
        oracle_(comm_, target()),
        global_(comm_, std::vector<float>(40, 0.0F)),
        root_(comm_, rows_[0]) {
    for (std::uint32_t i = 0; i < n; ++i) submissions_.push_back({{i}, 10 + i});
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(rule, &aggregator_)) << rule;
  }
  static std::vector<float> target() { return random_rows(9, 40)[8]; }
  /// Half the squared distance to the target.
  static double loss(const std::vector<float>& step) {
    double sum = 0.0;
    for (std::size_t c = 0; c < step.size(); ++c) {
      sum += 0.5 * std::pow(static_cast<double>(step[c]) - static_cast<double>(target()[c]), 2);
    }
    return sum;
  }
  RuleSetting setting(std::uint32_t round = 1) const {
    return {.comm = comm_,
            .round = {round},
            .seed = 1,
            .tolerated_f = 1,
            .global = global_,
            .root_update = &root_,
            .layout = nullptr};
  }
  WorthSetting worth(const scenario::Worth& config, const RuleSnapshot* rule, LossOracle* judge = nullptr) {
    return {.config = config,
            .rule = rule,
            .setting = setting(3),
            .submissions = submissions_,
            .updates = matrix_.columns(),
            .judge = judge == nullptr ? oracle_ : *judge};
  }
  Values values_by(const std::string& valuation, RoundWorth& worth) const {
    scenario::Market market;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(valuation, &market)) << valuation;
    std::vector<AgentId> sellers;
    for (const Submission& submission : submissions_) sellers.push_back(submission.agent);
    Stream random(1, StreamKey{Purpose::valuation, nobody, {1}});
    return make_valuation_rule(market)
        ->value({.comm = comm_,
                 .round = {1},
                 .random = random,
                 .sellers = sellers,
                 .samples = Values(sellers.size(), 1.0),
                 .updates = matrix_.columns(),
                 .root_update = nullptr,
                 .worth = &worth})
        .values;
  }
  std::vector<float> mean_step(const Coalition& coalition) const {
    std::vector<float> mean(40);
    double samples = 0.0;
    for (std::size_t i = 0; i < coalition.size(); ++i) samples += coalition[i] ? 10.0 + static_cast<double>(i) : 0.0;
    for (std::size_t c = 0; c < mean.size(); ++c) {
      double sum = 0.0;
      for (std::size_t i = 0; i < coalition.size(); ++i) {
        if (coalition[i]) sum += (10.0 + static_cast<double>(i)) * static_cast<double>(rows_[i][c]);
      }
      mean[c] = static_cast<float>(sum / samples);
    }
    return mean;
  }

  Comm comm_;
  Rows rows_;
  TestMatrix matrix_;
  QuadraticOracle oracle_;
  ColumnVector global_, root_;
  std::vector<Submission> submissions_;
  scenario::Aggregator aggregator_;
};

scenario::Worth worth_config(const std::string& text) {
  scenario::Worth config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return config;
}

std::vector<Coalition> all_coalitions(std::size_t n) {
  std::vector<Coalition> coalitions;
  for (std::size_t set = 0; set < std::size_t{1} << n; ++set) {
    coalitions.emplace_back(n);
    for (std::size_t i = 0; i < n; ++i) coalitions.back()[i] = (set >> i & 1U) != 0;
  }
  return coalitions;
}

TEST(RoundWorth, of_means_is_the_loss_that_they_take_away_and_each_is_judged_once) {
  const std::vector<Coalition> coalitions = all_coalitions(7);  // more than are judged together
  const scenario::Worth config = worth_config("");
  Values first;
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      WorthRound round(comm, "mean {}", 7);
      RoundWorth worth(round.worth(config, nullptr));
      EXPECT_EQ(worth.of(std::vector<Coalition>{Coalition(7, false)}), Values{0.0});
      EXPECT_EQ(worth.evaluations(), 0U);
      const Values worths = worth.of(coalitions);
      EXPECT_EQ(worth.evaluations(), 128U);  // 127 coalitions and the model as it is
      EXPECT_EQ(worth.of(coalitions), worths);
      EXPECT_EQ(worth.of(std::vector<Coalition>{coalitions[5], coalitions[5]}), (Values{worths[5], worths[5]}));
      EXPECT_EQ(worth.evaluations(), 128U);
      if (comm.rank() != 0) return;
      if (ranks == 1) first = worths;
      EXPECT_EQ(worths, first) << ranks;
    });
  }
  const WorthRound round(Comm::self(), "mean {}", 7);
  const double before = WorthRound::loss(std::vector<float>(40, 0.0F));
  for (std::size_t k = 1; k < coalitions.size(); ++k) {
    EXPECT_NEAR(first[k], before - WorthRound::loss(round.mean_step(coalitions[k])), 1e-4) << k;
  }
}

TEST(RoundWorth, judges_what_is_asked_for_twice_in_one_call_once) {
  const scenario::Worth config = worth_config("");
  WorthRound round(Comm::self(), "mean {}");
  RoundWorth worth(round.worth(config, nullptr));
  const Values worths = worth.of(std::vector<Coalition>(3, Coalition(6, true)));
  EXPECT_EQ(worths, Values(3, worths[0]));
  EXPECT_EQ(worth.evaluations(), 2U);
}

TEST(RoundWorth, by_accuracy_is_the_error_that_they_take_away) {
  const scenario::Worth config = worth_config("measure: ACCURACY");
  WorthRound round(Comm::self(), "mean {}");
  RoundWorth worth(round.worth(config, nullptr));
  const Coalition coalition{true, false, false, true, false, false};
  const double before = std::exp(-WorthRound::loss(std::vector<float>(40, 0.0F)));
  const double after = std::exp(-WorthRound::loss(round.mean_step(coalition)));
  EXPECT_NEAR(worth.of(std::span(&coalition, 1)).front(), after - before, 1e-9);
}

/// Says NaN of every model but the one before the step.
class BrokenOracle final : public QuadraticOracle {
 public:
  using QuadraticOracle::QuadraticOracle;
  std::vector<Judgement> on_root(const ColumnMatrix& steps) override {
    std::vector<Judgement> judgements = QuadraticOracle::on_root(steps);
    for (std::size_t s = 0; s < judgements.size(); ++s) {
      const Rows rows = rows_of(steps);
      const bool still = std::ranges::all_of(rows[s], [](float value) { return value == 0.0F; });
      judgements[s].loss = still ? 2.0 : std::numeric_limits<double>::quiet_NaN();
    }
    return judgements;
  }
};

TEST(RoundWorth, of_a_broken_model_is_low_but_finite) {
  const scenario::Worth config = worth_config("");
  WorthRound round(Comm::self(), "mean {}");
  BrokenOracle broken(Comm::self(), WorthRound::target());
  RoundWorth worth(round.worth(config, nullptr, &broken));
  const Coalition everyone(6, true);
  EXPECT_EQ(worth.of(std::span(&everyone, 1)), Values{2.0 - 1000.0});
}

TEST(RoundWorth, by_rule_asks_copies_and_leaves_the_rule_as_it_was) {
  const scenario::Worth config = worth_config("step: RULE");
  Values first;
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      WorthRound round(comm, "martfl {}");
      const auto rule = make_aggregator(round.aggregator_);
      const auto state = [&] {
        SaveArchive archive;
        rule->serialize(archive, comm);
        return archive.bytes();
      };
      for (const std::uint32_t past : {1U, 2U}) {
        run_rule(*rule, round.setting(past), round.submissions_, round.matrix_.columns(), &round.oracle_,
                 streams::rule);
      }
      const std::vector<std::byte> before = state();
      const RuleSnapshot snapshot(round.aggregator_, *rule, comm);
      RoundWorth worth(round.worth(config, &snapshot));
      const Values worths = worth.of(all_coalitions(6));
      EXPECT_EQ(state(), before);
      if (comm.rank() == 0 && ranks == 1) first = worths;
      EXPECT_EQ(worths, first) << ranks;
      // All of them: what the rule itself makes of the round, which one that remembers nothing does not.
      const auto worth_by = [&](Aggregator& by) {
        const RuleOutput output = run_rule(by, round.setting(3), round.submissions_, round.matrix_.columns(),
                                           &round.oracle_, streams::rule_tried_by_valuation);
        return WorthRound::loss(std::vector<float>(40, 0.0F)) -
               WorthRound::loss(whole(comm, round.matrix_.columns(), output.step));
      };
      EXPECT_NEAR(worths.back(), worth_by(*rule), 1e-6);
      EXPECT_GT(std::abs(worths.back() - worth_by(*make_aggregator(round.aggregator_))), 1e-3);
    });
  }
  EXPECT_GT(std::set<double>(first.begin(), first.end()).size(), 8U);
}

TEST(RoundWorth, by_rule_is_nothing_where_the_rule_cannot_run) {
  const scenario::Worth config = worth_config("step: RULE");
  WorthRound round(Comm::self(), "krum { f: 1 }");
  const auto rule = make_aggregator(round.aggregator_);
  EXPECT_THROW(rule->check({.updates = 2, .tolerated_f = 1}), InputError);
  const RuleSnapshot snapshot(round.aggregator_, *rule, Comm::self());
  RoundWorth worth(round.worth(config, &snapshot));
  const std::vector<Coalition> asked{Coalition(6, true), {true, false, true, false, false, false}};
  const Values worths = worth.of(asked);
  EXPECT_NE(worths[0], 0.0);
  EXPECT_EQ(worths[1], 0.0);
}

TEST(RoundWorth, does_without_a_rule_as_long_as_nobody_asks) {
  const scenario::Worth config = worth_config("step: RULE");
  WorthRound round(Comm::self(), "mean {}");
  RoundWorth worth(round.worth(config, nullptr));
  EXPECT_EQ(worth.of(std::vector<Coalition>{Coalition(6, false)}), Values{0.0});
}

TEST(RoundWorth, refuses_a_rule_that_needs_everyone) {
  const scenario::Worth config = worth_config("step: RULE");
  WorthRound round(Comm::self(), "fldetector {}");
  const auto rule = make_aggregator(round.aggregator_);
  const RuleSnapshot snapshot(round.aggregator_, *rule, Comm::self());
  EXPECT_THROW(RoundWorth(round.worth(config, &snapshot)), InputError);
}

TEST(RoundWorth, gives_sampled_values_their_bits_on_any_number_of_ranks) {
  const scenario::Worth config = worth_config("");
  for (const std::string rule : {"tmc_shapley {}", "gtg_shapley {}", "kernel_shap { pairs: 20 }"}) {
    Values first;
    for (const int ranks : {1, 2, 3}) {
      run_team(ranks, [&](const Comm& comm) {
        WorthRound round(comm, "mean {}");
        RoundWorth worth(round.worth(config, nullptr));
        const Values values = round.values_by(rule, worth);
        if (comm.rank() == 0 && ranks == 1) first = values;
        EXPECT_EQ(values, first) << rule << " " << ranks;
      });
    }
  }
}

}  // namespace
}  // namespace souk::round_worth_test
