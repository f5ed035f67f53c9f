// How updates travel in whole runs: codecs, what clients keep, secure sums, and what is refused.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "agents/communication/secure_aggregation.hpp"
#include "agents/communication/secure_ring.hpp"
#include "agents/stage.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/random_words.hpp"
#include "tests/support/simulated.hpp"

namespace souk::communication_test {
namespace {

using testing::HasSubstr;
using Row = std::vector<float>;

/// What the rule's round looked like, on one rank.
struct SeenRound {
  std::vector<std::size_t> clients, seen;
  std::vector<Row> updates, means;
  std::vector<std::vector<std::size_t>> members;
};

std::vector<SeenRound> watched;

class Watch final : public Stage, private ServerHooks {
 public:
  /// On ranks that are threads of one process it looks at nothing.
  explicit Watch(bool looks) : looks_(looks) {
    if (looks) watched.clear();
  }
  bool shapes_models() const override { return false; }
  ServerHooks* hooks(std::size_t) override { return looks_ ? this : nullptr; }

 private:
  void receive(ServerRound& round, RoundRecord&) override {
    SeenRound& now = watched.emplace_back();
    for (std::size_t k = 0; k < round.updates.rows(); ++k) {
      now.clients.push_back(round.clients[k].value);
      now.updates.emplace_back(round.updates.row(k).begin(), round.updates.row(k).end());
    }
    now.seen = round.seen;
    if (!round.groups) return;
    now.members = round.groups->members;
    for (std::size_t g = 0; g < round.groups->means.rows(); ++g) {
      now.means.emplace_back(round.groups->means.row(g).begin(), round.groups->means.row(g).end());
    }
  }
  bool looks_;
};

const RegisterStage register_watch(
    {.name = "watch",
     .place = Place::serving,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.name() == "travelling"; },
     .make = [](const World& world) -> std::unique_ptr<Stage> {
       return std::make_unique<Watch>(world.comm.size() == 1);
     }});

std::string scenario_of(const std::string& communication, const std::string& more = "",
                        const std::string& participants = "clients: 12 per_round: 6",
                        const std::string& rule = "mean { weighting: UNIFORM }") {
  return "name: \"travelling\" rounds: 4 task { data { glyphs { train_samples: 360 test_samples: 60 } } "
         "model { mlp { hidden: 12 } } training { batch_size: 16 learning_rate: 0.3 } } participants { " +
         participants + " } aggregator { " + rule + " } " +
         (communication.empty() ? "" : "communication { " + communication + " } ") + more;
}

double distance(const Row& a, const Row& b) {
  double square = 0.0;
  for (std::size_t v = 0; v < a.size(); ++v)
    square += std::pow(static_cast<double>(a[v]) - static_cast<double>(b[v]), 2);
  return std::sqrt(square);
}

std::size_t values_sent(const Row& update) {
  return static_cast<std::size_t>(std::ranges::count_if(update, [](float value) { return value != 0.0F; }));
}

std::size_t five_percent(std::size_t values) {
  return static_cast<std::size_t>(std::lround(0.05 * static_cast<double>(values)));
}

const std::vector<std::string> all_ways{"top_k { share: 0.05 }",
                                        "random_k { share: 0.1 }",
                                        "qsgd {}",
                                        "tern_grad {}",
                                        "one_bit {}",
                                        "ef_sign {}",
                                        "power_sgd { rank: 1 }",
                                        "random_k { share: 0.1 } error_feedback: ON forget_after: 1",
                                        "secure_aggregation {}",
                                        "secure_aggregation { group: 2 }"};

TEST(Communication, has_the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  for (const std::string& way : all_ways) {
    SCOPED_TRACE(way);
    const std::string text = scenario_of(way, "attacks { count: 2 sign_flip {} }");
    const Simulated whole = simulate(text);
    EXPECT_EQ(simulate(text, 3).hash, whole.hash);
    EXPECT_EQ(simulate(text, 2, 2).hash, whole.hash);
    EXPECT_EQ(simulate(text, 1, 3).state, whole.state);
    EXPECT_NE(simulate(scenario_of("", "attacks { count: 2 sign_flip {} }")).hash, whole.hash);
  }
}

TEST(Communication, a_codec_that_keeps_everything_changes_nothing) {
  EXPECT_EQ(simulate(scenario_of("top_k { share: 1 }")).hash, simulate(scenario_of("")).hash);
}

TEST(Communication, the_server_sees_what_was_decoded) {
  const Simulated run = simulate(scenario_of("top_k { share: 0.05 }"));
  for (const SeenRound& round : watched) {
    for (const Row& update : round.updates) EXPECT_EQ(values_sent(update), five_percent(update.size()));
  }
  for (const RoundRecord& record : run.records) {
    EXPECT_GT(record.metric("communication.error").value_or(0.0), 0.0);
    EXPECT_LT(record.metric("communication.error").value_or(2.0), 1.0);
  }
}

/// All of a client's updates are decoded from what it trained and what was left out before: with plain steps of a fixed
/// model (a server that learns nothing) the sum of what is decoded is what was trained, but for what is left out at the
/// end.
TEST(Communication, what_is_left_out_comes_back) {
  const std::string still = "server { learning_rate: 1e-30 }", all = "clients: 6 everyone: true";
  simulate(scenario_of("", still, all));
  const std::vector<SeenRound> plain = watched;
  for (const auto& [feedback, closer] : {std::pair{"ON", true}, std::pair{"OFF", false}}) {
    simulate(scenario_of("top_k { share: 0.2 } error_feedback: " + std::string(feedback), still, all));
    Row sum(watched[0].updates[0].size(), 0.0F), whole = sum;
    for (std::size_t r = 0; r < watched.size(); ++r) {
      for (std::size_t v = 0; v < sum.size(); ++v) {
        sum[v] += watched[r].updates[0][v];
        whole[v] += plain[r].updates[0][v];
      }
    }
    const double missing = distance(sum, whole) / distance(whole, Row(whole.size(), 0.0F));
    EXPECT_EQ(missing < 0.35, closer) << feedback << ": " << missing;
  }
}

TEST(Communication, what_attackers_craft_is_encoded_too_and_leaves_nothing_behind) {
  simulate(scenario_of("top_k { share: 0.05 }", "attacks { count: 6 gaussian {} }"));
  for (const SeenRound& round : watched) {
    for (const Row& update : round.updates) EXPECT_EQ(values_sent(update), five_percent(update.size()));
  }
  // In the second round everybody behaves: what the first left behind is that of nobody who crafted.
  const std::string all = "clients: 6 everyone: true", still = "server { learning_rate: 1e-30 } ";
  simulate(
      scenario_of("top_k { share: 0.05 }", still + "attacks { members { id: [4, 5] } gaussian {} to_round: 1 }", all));
  const Row after_crafting = watched[1].updates[4], after_training = watched[1].updates[0];
  simulate(scenario_of("top_k { share: 0.05 } error_feedback: OFF", still, all));
  EXPECT_EQ(watched[1].updates[4], after_crafting);
  EXPECT_NE(watched[1].updates[0], after_training);
}

TEST(Communication, what_attackers_craft_does_not_count_as_left_out) {
  const Simulated run = simulate(scenario_of("top_k { share: 0.05 }", "attacks { count: 12 gaussian {} }"));
  EXPECT_EQ(run.records[0].metric("communication.error"), std::nullopt);
}

TEST(Communication, bytes_are_those_of_the_messages) {
  const Simulated plain = simulate(scenario_of("")), encoded = simulate(scenario_of("ef_sign {}"));
  const auto bytes = [](const Simulated& run, const std::string& kind) {
    for (const TrafficRow& row : run.records[0].traffic) {
      if (row.kind == kind) return row.bytes;
    }
    return std::uint64_t{0};
  };
  const std::uint64_t d = watched[0].updates[0].size();
  EXPECT_EQ(bytes(plain, "update"), 6 * 4 * d);
  EXPECT_EQ(bytes(encoded, "update"), 6 * (4 + (d + 7) / 8));
  EXPECT_EQ(bytes(encoded, "model"), bytes(plain, "model"));
  EXPECT_LT(encoded.records[0].virtual_seconds, plain.records[0].virtual_seconds);
}

TEST(Communication, a_client_that_stays_away_forgets) {
  EXPECT_NE(simulate(scenario_of("top_k { share: 0.05 }")).hash,
            simulate(scenario_of("top_k { share: 0.05 } forget_after: 1")).hash);
}

/// The bound is for what is sent: encoded, then shortened.
TEST(Communication, updates_are_encoded_before_they_are_shortened) {
  simulate(scenario_of("qsgd { levels: 1 bucket: 0 }", "privacy { fixed { bound: 0.1 } noise_multiplier: 1 }"));
  for (const SeenRound& round : watched) {
    for (const Row& update : round.updates) EXPECT_LE(distance(update, Row(update.size(), 0.0F)), 0.1 * (1 + 1e-6));
  }
  simulate(scenario_of("qsgd { levels: 1 bucket: 0 } order: NOISE_THEN_COMPRESS",
                       "privacy { fixed { bound: 0.1 } local_noise: 1 }"));
  for (const SeenRound& round : watched) {
    for (const Row& update : round.updates) {
      Row magnitudes;
      for (const float value : update) {
        if (value != 0.0F) magnitudes.push_back(std::abs(value));
      }
      EXPECT_EQ(std::ranges::min(magnitudes), std::ranges::max(magnitudes)) << "one level";
    }
  }
}

/// Residuals were computed from models that knew whoever is forgotten: nobody keeps any.
TEST(Communication, forgetting_takes_what_was_left_out) {
  const std::string still = "server { learning_rate: 1e-30 } ", all = "clients: 6 everyone: true";
  const std::string forgetting = "unlearning { requests { round: 3 clients { ids: 5 } retrain {} } }";
  simulate(scenario_of("top_k { share: 0.05 }", still + forgetting, all));
  const std::vector<SeenRound> with = watched;
  simulate(scenario_of("top_k { share: 0.05 } error_feedback: OFF", still + forgetting, all));
  EXPECT_NE(with[1].updates[0], watched[1].updates[0]);
  EXPECT_EQ(with[2].updates[0], watched[2].updates[0]);
  EXPECT_NE(with[3].updates[0], watched[3].updates[0]);
}

/// Mod 256 by hand: x = (10, 20, 30), masks s12 = 200, s13 = 77, s23 = 5, b = (9, 100, 250). An independent protocol:
/// what the masked inputs add up to is what the ring adds up to without them.
TEST(SecureRing, masks_cancel) {
  const std::vector<std::uint8_t> x{10, 20, 30}, own{9, 100, 250};
  const std::uint8_t s12 = 200, s13 = 77, s23 = 5;
  const std::vector<std::uint8_t> masked{static_cast<std::uint8_t>(x[0] + own[0] + s12 + s13),
                                         static_cast<std::uint8_t>(x[1] + own[1] + s23 - s12),
                                         static_cast<std::uint8_t>(x[2] + own[2] - s13 - s23)};
  EXPECT_THAT(masked, testing::ElementsAre(40, 181, 198));
  const SecureRing ring(127.0, 8, 8);  // a unit is 1
  std::vector<std::uint64_t> sum(1);
  for (const std::uint8_t value : x) {
    ring.add(Row{static_cast<float>(value)}, 1, std::vector<std::uint32_t>{0xFFFFFFFF}, sum);
  }
  EXPECT_EQ(sum[0], static_cast<std::uint8_t>(masked[0] + masked[1] + masked[2] - own[0] - own[1] - own[2]));
  EXPECT_EQ(sum[0], 60U);
  // Client 3 is lost before it sends: its masks with the others are taken out.
  EXPECT_EQ(static_cast<std::uint8_t>(masked[0] + masked[1] - own[0] - own[1] - s13 - s23), 30);
}

/// n = 100, d = 1,000, 16 bits in a ring of 2^23, masked by pairs and not.
TEST(SecureRing, sums_are_exact_masked_or_not) {
  constexpr std::size_t n = 100, d = 1000;
  const SecureRing ring(1.0, 16, 23);
  Stream random(1, {Purpose::dataset});
  std::vector<std::uint64_t> sum(d), masked(d), one(d);
  std::vector<std::uint32_t> words(d), mask(d);
  std::vector<std::int64_t> exact(d);
  for (std::uint32_t i = 0; i < n; ++i) {
    Row values(d);
    for (float& value : values) value = static_cast<float>(2.0 * random.uniform() - 1.0);
    for (auto& word : words) word = random.next();
    ring.add(values, 1, words, sum);
    std::ranges::fill(one, 0U);
    ring.add(values, 1, words, one);
    for (std::size_t v = 0; v < d; ++v) exact[v] += static_cast<std::int64_t>(one[v] << 41) >> 41;
    for (std::uint32_t j = 0; j < n; ++j) {
      if (j == i) continue;
      const std::uint32_t low = std::min(i, j), high = std::max(i, j);
      random_words(low * n + high, {Purpose::secure_sum}, 0, mask);
      for (std::size_t v = 0; v < d; ++v) one[v] += i < j ? mask[v] : -std::uint64_t{mask[v]};
    }
    for (std::size_t v = 0; v < d; ++v) masked[v] = (masked[v] + one[v]) & ring.mask();
  }
  EXPECT_EQ(sum, masked);
  for (std::size_t v = 0; v < d; ++v) EXPECT_DOUBLE_EQ(ring.decode(sum[v]), static_cast<double>(exact[v]) / 32767.0);
}

TEST(SecureRing, says_what_it_holds) {
  EXPECT_TRUE(SecureRing(1.0, 16, 23).holds(100));
  EXPECT_FALSE(SecureRing(1.0, 16, 22).holds(100));
  EXPECT_TRUE(SecureRing(1.0, 16, 64).holds(1000000));
}

TEST(SecureRing, rounds_right_in_the_mean_and_counts_what_it_cuts) {
  const SecureRing ring(1.0, 3, 32);  // units of a third
  const Row values{0.1F, -0.45F, 2.0F, -1.0F};
  std::vector<double> mean(4);
  Stream random(1, {Purpose::dataset});
  const int draws = 40000;
  std::size_t cut = 0;
  for (int t = 0; t < draws; ++t) {
    std::vector<std::uint64_t> sums(4);
    std::vector<std::uint32_t> words(4);
    for (auto& word : words) word = random.next();
    cut += ring.add(values, 1, words, sums);
    for (std::size_t v = 0; v < 4; ++v) mean[v] += ring.decode(sums[v]) / draws;
  }
  const double error = 4.0 * (1.0 / 6.0) / std::sqrt(draws);  // deviation of a coin between thirds: at most a sixth
  EXPECT_NEAR(mean[0], 0.1, error);
  EXPECT_NEAR(mean[1], -0.45, error);
  EXPECT_NEAR(mean[2], 1.0, 1e-9);
  EXPECT_NEAR(mean[3], -1.0, 1e-9);
  EXPECT_EQ(cut, static_cast<std::size_t>(draws));
}

TEST(SecureGroups, have_enough_members_and_everybody_is_in_one) {
  std::vector<AgentId> asked, present;
  for (std::uint32_t i = 0; i < 23; ++i) asked.push_back({2 * i});
  for (std::uint32_t i = 0; i < 23; i += 2) present.push_back({2 * i});
  for (const std::size_t size : {std::size_t{0}, std::size_t{2}, std::size_t{5}, std::size_t{12}, std::size_t{40}}) {
    Stream random(1, streams::secure_groups(0, {1}));
    const std::vector<SecureGroup> groups = secure_groups(asked, present, size, random);
    std::vector<std::size_t> members;
    std::size_t all = 0;
    for (const SecureGroup& group : groups) {
      if (size > 0 && size <= 23) {
        EXPECT_GE(group.asked, size);
        EXPECT_LT(group.asked, 2 * size);
      }
      all += group.asked;
      members.insert(members.end(), group.members.begin(), group.members.end());
    }
    EXPECT_EQ(all, 23U);
    std::ranges::sort(members);
    std::vector<std::size_t> expected(present.size());
    std::iota(expected.begin(), expected.end(), std::size_t{0});
    EXPECT_EQ(members, expected);
  }
}

/// With units so small that rounding does not matter, the model is that without secure sums, up to floats.
TEST(SecureAggregation, the_mean_of_a_round_is_its_mean) {
  const std::string fine = "secure_aggregation { greatest: 8 bits: 31 modulus_bits: 64 }";
  for (const std::string rule : {"mean { weighting: UNIFORM }", "mean {}", "norm_clipping { bound: 0.4 }"}) {
    SCOPED_TRACE(rule);
    const std::string all = "clients: 6 everyone: true";
    const auto secure = simulate(scenario_of(fine, "partition { dirichlet { alpha: 1 } }", all, rule));
    for (const SeenRound& round : watched) {
      ASSERT_EQ(round.means.size(), 1U);
      EXPECT_EQ(round.members[0].size(), 6U);
    }
    const auto plain = simulate(scenario_of("", "partition { dirichlet { alpha: 1 } }", all, rule));
    EXPECT_NEAR(secure.records[0].metric("step_norm").value_or(0.0), plain.records[0].metric("step_norm").value_or(1.0),
                1e-5);
    EXPECT_EQ(secure.records[0].metric("secure.cut_share"), 0.0);
    for (std::size_t k = 0; k < 6; ++k) {
      EXPECT_NEAR(secure.records[0].selections[k].weight.value_or(-1.0),
                  plain.records[0].selections[k].weight.value_or(1.0), 1e-12);
    }
  }
}

TEST(SecureAggregation, rules_see_means_of_groups) {
  const auto run = simulate(scenario_of("secure_aggregation { greatest: 8 bits: 31 modulus_bits: 64 group: 3 }", "",
                                        "clients: 12 everyone: true", "median {}"));
  for (const SeenRound& round : watched) {
    ASSERT_EQ(round.means.size(), 4U);
    for (std::size_t g = 0; g < 4; ++g) {
      Row mean(round.means[g].size(), 0.0F);
      for (const std::size_t m : round.members[g]) {
        for (std::size_t v = 0; v < mean.size(); ++v) mean[v] += round.updates[round.seen[m]][v] / 3.0F;
      }
      EXPECT_LT(distance(mean, round.means[g]), 1e-5);
    }
  }
  EXPECT_EQ(run.records[0].metric("secure.groups"), 4.0);
  EXPECT_GT(run.records.back().metric("accuracy").value_or(0.0), 0.2);
}

TEST(SecureAggregation, a_group_that_loses_too_many_is_lost_with_all_its_updates) {
  const std::string drop = "clients: 12 everyone: true availability { dropout: 0.5 }";
  const auto run = simulate(scenario_of("secure_aggregation { group: 3 threshold: 0.6 }", "", drop));
  bool lost = false;
  for (std::size_t r = 0; r < run.records.size(); ++r) {
    const double groups = run.records[r].metric("secure.lost_groups").value_or(0.0);
    lost = lost || groups > 0.0;
    for (const auto& members : watched[r].members) EXPECT_GE(members.size(), 2U);
  }
  EXPECT_TRUE(lost);
  const auto none = simulate(scenario_of("secure_aggregation { threshold: 1 }", "", drop));
  EXPECT_EQ(none.records[0].metric("secure.lost_groups"), 1.0);
  EXPECT_EQ(none.records[0].metric("step_norm"), 0.0);
}

TEST(SecureAggregation, units_longer_than_every_update_are_told) {
  const auto told = [](const std::string& settings) {
    const auto run = simulate(scenario_of("secure_aggregation { " + settings + " }", "", "clients: 12 everyone: true"));
    return std::ranges::count(run.records[0].events, "rounded away", &EventRow::kind);
  };
  EXPECT_EQ(told("greatest: 1e9"), 1);
  EXPECT_EQ(told("greatest: 8"), 0);
}

/// Rounding lengthens no update beyond the bound that noise is for.
TEST(SecureAggregation, rounded_updates_keep_to_the_bound) {
  simulate(scenario_of("secure_aggregation { greatest: 0.3 bits: 12 }",
                       "privacy { fixed { bound: 0.3 } noise_multiplier: 1 }", "clients: 2 everyone: true"));
  for (const SeenRound& round : watched) {
    EXPECT_LE(distance(round.means[0], Row(round.means[0].size(), 0.0F)), 0.3);
  }
  EXPECT_THAT(refusal_of(scenario_of("secure_aggregation { greatest: 10 bits: 4 }",
                                     "privacy { fixed { bound: 0.3 } noise_multiplier: 1 }")),
              HasSubstr("rounding may add"));
}

TEST(Communication, refuses_what_cannot_be) {
  const auto refused = [](const std::string& communication, const std::string& more = "",
                          const std::string& rule = "mean { weighting: UNIFORM }") {
    return refusal_of(scenario_of(communication, more, "clients: 12 per_round: 6", rule));
  };
  EXPECT_THAT(refused("error_feedback: ON"), HasSubstr("chooses neither"));
  EXPECT_THAT(refused("qsgd {} secure_aggregation {}"), HasSubstr("not encodings of sums"));
  EXPECT_THAT(refused("qsgd {} forget_after: 3"), HasSubstr("clients keep nothing"));
  EXPECT_THAT(refused("secure_aggregation {} error_feedback: OFF"), HasSubstr("without a codec"));
  EXPECT_THAT(refused("qsgd {} order: NOISE_THEN_COMPRESS"), HasSubstr("no section privacy"));
  EXPECT_THAT(refused("qsgd {}", "privacy { local_noise: 1 }"), HasSubstr("use NOISE_THEN_COMPRESS"));
  EXPECT_THAT(refused("qsgd {} order: NOISE_THEN_COMPRESS", "privacy { noise_multiplier: 1 }"),
              HasSubstr("longer than the bound"));
  for (const std::string rule : {"krum {}", "median {}", "flame {}", "geometric_median {}"}) {
    EXPECT_THAT(refused("secure_aggregation {}", "", rule), HasSubstr("more than the sum")) << rule;
  }
  EXPECT_THAT(refused("secure_aggregation { group: 2 }", "", "foolsgold {}"), HasSubstr("remembers every client"));
  EXPECT_THAT(refused("secure_aggregation { group: 1 }", "", "median {}"), HasSubstr("is that update"));
  EXPECT_THAT(refused("secure_aggregation { modulus_bits: 16 }"), HasSubstr("may not fit"));
  EXPECT_THAT(refused("secure_aggregation { modulus_bits: 20 }"), HasSubstr("16, 24, 32 or 64"));
  EXPECT_THAT(refused("secure_aggregation { threshold: 0.5 }"), HasSubstr("more than 0.5"));
  EXPECT_THAT(refused("secure_aggregation { group: 7 }"), HasSubstr("brings 6 updates at most"));
  EXPECT_THAT(refused("secure_aggregation { group: 3 neighbours: 3 }"), HasSubstr("2 partners at most"));
  EXPECT_THAT(refusal_of(scenario_of("secure_aggregation {}", "", "clients: 1 everyone: true")),
              HasSubstr("one update at most"));
  EXPECT_THAT(refused("secure_aggregation {}", "root {} market {}"), HasSubstr("leave out the market"));
  EXPECT_THAT(
      refused("secure_aggregation { group: 2 }", "attacks { count: 2 fang_krum {} knowledge: RULE }", "krum { f: 0 }"),
      HasSubstr("knowledge RULE"));
}

}  // namespace
}  // namespace souk::communication_test
