// Pre-aggregators and chains of them, against the same on whole vectors, one stage after the other.
#include "aggregators/pipeline.hpp"

#include <bit>

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "aggregators/pre/pre_aggregator.hpp"
#include "aggregators/rule_tools.hpp"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/params/krum_scores.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::pipeline_test {
namespace {

using brute_force::Indices;
using brute_force::Vector;
using brute_force::Vectors;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::size_t d = 37;

Vectors nnm(const Vectors& rows, std::size_t f) {
  Vectors mixed;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Indices nearest =
        brute_force::lowest(brute_force::everybody(rows.size()), rows.size() - f,
                            [&](std::size_t j) { return j == i ? -1.0 : brute_force::distance(rows[i], rows[j]); });
    mixed.push_back(brute_force::mean(brute_force::some(rows, nearest)));
  }
  return mixed;
}

Vectors clipping(const Vectors& rows, double bound) {
  Vectors clipped;
  for (const Vector& row : rows) clipped.push_back(brute_force::clipped(row, bound));
  return clipped;
}

Vectors arc(const Vectors& rows, std::size_t f) {
  const std::size_t n = rows.size();
  Vector norms;
  for (const Vector& row : rows) norms.push_back(brute_force::norm(row));
  std::sort(norms.begin(), norms.end(), std::greater<>());
  const double k = std::floor(2.0 * static_cast<double>(f * (n - f)) / static_cast<double>(n));
  return clipping(rows, norms[static_cast<std::size_t>(k)]);
}

/// Lengths from 0.1 to 3, so that clipping has something to do.
Rows rows_of_many_lengths(std::size_t n) {
  Rows rows = random_rows(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    for (float& value : rows[i]) value *= 0.1F + 2.9F * static_cast<float>(i * 7 % n) / static_cast<float>(n);
  }
  return rows;
}

std::vector<float> median_after(const std::string& stages, const RuleRound& round) {
  return run_rule(stages + " median {}", round).step;
}

Vector median(const Vectors& rows) { return brute_force::by_column(rows, brute_force::median); }

TEST(PreAggregators, do_as_on_whole_vectors) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const Rows rows = rows_of_many_lengths(n);
    const Vectors vectors = brute_force::of(rows);
    for (const std::size_t f : {std::size_t{0}, std::size_t{1}, (n - 1) / 2}) {
      const RuleRound round{.rows = rows, .tolerated_f = f};

      brute_force::expect_close(median_after("pre { nnm {} }", round), median(nnm(vectors, f)));
      brute_force::expect_close(median_after("pre { arc {} }", round), median(arc(vectors, f)));
      brute_force::expect_close(median_after("pre { clipping { bound: 4 } }", round), median(clipping(vectors, 4.0)));
    }
  }
}

TEST(Pipeline, chains_of_stages_do_as_on_whole_vectors) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const Rows rows = rows_of_many_lengths(n);
    const Vectors vectors = brute_force::of(rows);
    for (const std::size_t f : {std::size_t{1}, (n - 1) / 2}) {
      const RuleRound round{.rows = rows, .tolerated_f = f};

      brute_force::expect_close(median_after("pre { arc {} } pre { nnm {} }", round), median(nnm(arc(vectors, f), f)),
                                1e-5);
      brute_force::expect_close(median_after("pre { nnm {} } pre { clipping { bound: 1 } }", round),
                                median(clipping(nnm(vectors, f), 1.0)), 1e-5);
      brute_force::expect_close(median_after("pre { clipping { bound: 2 } } pre { nnm {} } pre { arc {} }", round),
                                median(arc(nnm(clipping(vectors, 2.0), f), f)), 1e-5);
    }
  }
}

TEST(Pipeline, chains_hold_beside_updates_as_large_as_floats_allow) {
  for (const float huge : {1e6F, 1e12F, 1e30F}) {
    Rows rows = random_rows(9, d);
    rows[2].assign(d, huge);
    rows[6].assign(d, -huge);
    const Vectors vectors = brute_force::of(rows);
    const RuleRound round{.rows = rows, .tolerated_f = 2};

    brute_force::expect_close(median_after("pre { clipping { bound: 3 } } pre { nnm {} }", round),
                              median(nnm(clipping(vectors, 3.0), 2)), 1e-5);
    brute_force::expect_close(median_after("pre { arc {} } pre { nnm {} }", round), median(nnm(arc(vectors, 2), 2)),
                              1e-5);
  }
}

/// The bucket means that a pipeline forms in a round, from the stream that run_rule hands to rules.
Vectors bucketing(const Vectors& rows, std::size_t size, std::uint32_t round) {
  scenario::PreAggregator config;
  config.mutable_bucketing()->set_size(static_cast<std::uint32_t>(size));
  const std::size_t n = rows.size();
  const SymmetricMatrix distances{n + 1, std::vector<double>((n + 1) * (n + 2) / 2, 0.0)};  // bucketing looks at none
  Stream random(5, StreamKey{Purpose::aggregation, nobody, {round}});
  const std::vector<double> coefficients =
      make_pre_aggregator(config)->mix({.distances = distances, .tolerated_f = 0, .random = random});
  std::vector<int> members(n, 0);
  Vectors means;
  for (std::size_t k = 0; k * n < coefficients.size(); ++k) {
    Indices bucket;
    for (std::size_t i = 0; i < n; ++i) {
      if (coefficients[k * n + i] > 0.0) bucket.push_back(i);
    }
    EXPECT_LE(bucket.size(), size);
    brute_force::expect_close(Vector(&coefficients[k * n], &coefficients[k * n] + n), brute_force::shares(bucket, n),
                              1e-12);
    for (const std::size_t i : bucket) ++members[i];
    means.push_back(brute_force::mean(brute_force::some(rows, bucket)));
  }
  EXPECT_EQ(means.size(), (n + size - 1) / size);
  EXPECT_THAT(members, testing::Each(1));
  return means;
}

TEST(Bucketing, averages_disjoint_buckets_that_hold_everybody) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const Rows rows = random_rows(n, d);
    for (const std::size_t size : {1U, 2U, 3U, 50U}) {
      const RuleRound round{.rows = rows, .round = static_cast<std::uint32_t>(n)};
      const std::string stage = "pre { bucketing { size: " + std::to_string(size) + " } }";

      brute_force::expect_close(median_after(stage, round),
                                median(bucketing(brute_force::of(rows), size, round.round)));
    }
  }
}

TEST(Bucketing, then_mixing_does_as_on_whole_vectors) {
  for (std::size_t n = 6; n <= 40; ++n) {
    const Rows rows = rows_of_many_lengths(n);
    const RuleRound round{.rows = rows, .round = static_cast<std::uint32_t>(n)};
    const Vectors means = bucketing(brute_force::of(rows), 2, round.round);

    brute_force::expect_close(median_after("pre { bucketing { size: 2 } } pre { nnm { f: 1 } }", round),
                              median(nnm(means, 1)), 1e-5);
  }
}

/// A rule that keeps who it was told is in its rows; the rows themselves go into the step.
class Witness final : public Aggregator {
 public:
  explicit Witness(std::vector<Submission>& seen) : seen_(seen) {}
  RuleOutput aggregate(const RuleInput& input) override {
    seen_.assign(input.submissions.begin(), input.submissions.end());
    return mean_of(input, all_rows(input.updates.rows()));
  }

 private:
  std::vector<Submission>& seen_;
};

TEST(Bucketing, hands_its_rows_on_in_the_order_of_their_smallest_ids_also_through_later_stages) {
  for (const char* later : {"", "nnm { f: 1 }", "clipping { bound: 1 }"}) {
    std::vector<std::unique_ptr<PreAggregator>> stages;
    for (const std::string& text : {std::string("bucketing { size: 3 }"), std::string(later)}) {
      if (text.empty()) continue;
      scenario::PreAggregator config;
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
      stages.push_back(make_pre_aggregator(config));
    }
    std::vector<Submission> seen;
    const auto rule = make_pipeline(std::move(stages), std::make_unique<Witness>(seen));
    for (std::uint32_t round = 1; round <= 5; ++round) {
      std::vector<std::uint64_t> samples;
      for (std::uint64_t i = 0; i < 10; ++i) samples.push_back(std::uint64_t{1} << i);
      run_rule(*rule, Comm::self(), {.rows = random_rows(10, d), .round = round, .samples = samples});
      ASSERT_EQ(seen.size(), 4U);
      std::uint64_t everybody = 0;
      for (std::size_t k = 0; k < 4; ++k) {
        if (k > 0) {
          EXPECT_LT(seen[k - 1].agent, seen[k].agent) << later;
        }
        EXPECT_EQ(std::countr_zero(seen[k].samples), static_cast<int>(seen[k].agent.value)) << "its smallest member";
        EXPECT_EQ(everybody & seen[k].samples, 0U) << "one bucket each";
        everybody |= seen[k].samples;
      }
      EXPECT_EQ(everybody, 1023U) << later;
    }
  }
}

TEST(Bucketing, leaves_the_pivot_of_monna_at_its_place_by_smallest_ids) {
  // Three buckets of two, and all updates but one are alike: with f = 1 only the pivot's bucket tells where it is.
  Rows rows(6, {1, 1});
  rows[0] = {9, 9};
  for (std::uint32_t round = 1; round <= 10; ++round) {
    const Outcome outcome =
        run_rule("pre { bucketing { size: 2 } } monna { f: 1 pivot: 0 }", {.rows = rows, .round = round});
    EXPECT_GT(outcome.weights[0], 0.0) << "client 0 is in the bucket of the smallest id";
  }
}

TEST(Bucketing, shuffles_anew_every_round) {
  const Vectors rows = brute_force::of(random_rows(20, d));

  EXPECT_NE(bucketing(rows, 2, 1), bucketing(rows, 2, 2));
}

TEST(Bucketing, is_refused_before_rules_with_a_memory_of_every_client) {
  const RoundSize size{.updates = 10, .tolerated_f = 1};

  EXPECT_THAT([&] { make_rule("pre { bucketing {} } foolsgold {}")->check(size); },
              ThrowsMessage<InputError>(HasSubstr("aggregator.pre")));
  EXPECT_NO_THROW(make_rule("pre { bucketing { size: 1 } } foolsgold {}")->check(size));
  EXPECT_NO_THROW(make_rule("pre { nnm {} } foolsgold {}")->check(size));
}

TEST(Bucketing, leaves_the_rule_to_check_the_number_of_buckets) {
  EXPECT_NO_THROW(make_rule("pre { bucketing { size: 2 } } krum { f: 1 }")->check({.updates = 9}));  // 5 >= 2 + 3
  EXPECT_THAT([] { make_rule("pre { bucketing { size: 2 } } krum { f: 1 }")->check({.updates = 8}); },
              ThrowsMessage<InputError>(HasSubstr("4 is less than 5")));
}

TEST(Pipeline, stages_check_their_own_f_or_the_scenarios) {
  EXPECT_THAT([] { make_rule("pre { nnm { f: 3 } } mean {}")->check({.updates = 6}); },
              ThrowsMessage<InputError>(AllOf(HasSubstr("pre.nnm.f = 3"), HasSubstr("n >= 2 f + 1"))));
  EXPECT_THAT([] { make_rule("pre { arc {} } mean {}")->check({.updates = 6, .tolerated_f = 3}); },
              ThrowsMessage<InputError>(HasSubstr("tolerated_f = 3")));
  const Rows rows = random_rows(11, d);
  EXPECT_EQ(median_after("pre { nnm { f: 4 } }", {.rows = rows, .tolerated_f = 1}),
            median_after("pre { nnm {} }", {.rows = rows, .tolerated_f = 4}));
  EXPECT_NE(median_after("pre { nnm { f: 4 } }", {.rows = rows, .tolerated_f = 1}),
            median_after("pre { nnm {} }", {.rows = rows, .tolerated_f = 1}));
}

TEST(Pipeline, hands_shares_back_to_the_updates_they_came_from) {
  // Krum takes one row of the mixed ones, which is the mean of the 4 updates nearest to one of the 6.
  const Rows rows = random_rows(6, d);
  const Outcome outcome = run_rule("pre { nnm { f: 2 } } krum { f: 0 }", {.rows = rows});
  std::size_t in = 0;
  for (const double weight : outcome.weights) in += std::abs(weight - 0.25) < 1e-12 ? 1U : 0U;

  EXPECT_EQ(in, 4U);
  brute_force::expect_close(outcome.step, brute_force::combination(brute_force::of(rows), outcome.weights));
  for (const char* stages : {"pre { nnm {} }", "pre { arc {} }", "pre { clipping { bound: 0.5 } }",
                             "pre { bucketing {} }", "pre { bucketing {} } pre { nnm {} }"}) {
    const auto weights =
        run_rule(std::string(stages) + " mean {}", {.rows = rows, .tolerated_f = 1, .samples = {1, 2, 3, 4, 5, 6}})
            .weights;
    EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1.0, 1e-12) << stages;
  }
}

TEST(Pipeline, gives_the_same_bits_on_any_number_of_ranks) {
  Rows rows = random_rows(9, 3001);
  for (const float huge : {1.0F, 1e20F}) {
    rows[4].assign(rows[4].size(), huge);
    for (const char* text : {"pre { clipping { bound: 3 } } pre { nnm {} } trimmed_mean {}",
                             "pre { bucketing {} } pre { arc {} } krum {}"}) {
      const RuleRound round{.rows = rows, .tolerated_f = 1};
      const Outcome expected = run_rule(text, round);
      for (const int ranks : {2, 3, 7}) {
        run_team(ranks, [&](const Comm& comm) { EXPECT_EQ(run_rule(*make_rule(text), comm, round), expected); });
      }
    }
  }
}

TEST(Pipeline, keeps_the_state_of_the_rule_behind_it) {
  const auto round = [](std::uint32_t number) {
    return RuleRound{.rows = random_rows(6, d, number), .tolerated_f = 1, .round = number};
  };
  const auto unbroken = make_rule("pre { nnm {} } centered_clipping { tau: 1 }");
  run_rule(*unbroken, Comm::self(), round(1));
  SaveArchive save;
  unbroken->serialize(save, Comm::self());
  const auto resumed = make_rule("pre { nnm {} } centered_clipping { tau: 1 }");
  LoadArchive load(save.bytes());
  resumed->serialize(load, Comm::self());

  EXPECT_EQ(run_rule(*resumed, Comm::self(), round(2)), run_rule(*unbroken, Comm::self(), round(2)));
}

}  // namespace
}  // namespace souk::pipeline_test
