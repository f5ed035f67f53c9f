// Rejections on root data, against trying out every update.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::rejection_test {
namespace {

using brute_force::Indices;
using brute_force::Vector;
using brute_force::Vectors;
using testing::ElementsAre;

constexpr std::size_t d = 8;

double loss_at(const Vector& step, const std::vector<float>& target) {
  double sum = 0.0;
  for (std::size_t c = 0; c < d; ++c) sum += 0.5 * std::pow(step[c] - static_cast<double>(target[c]), 2);
  return sum;
}

/// The oracle's loss; its error is another measure, so that the rejections differ: it counts columns far from 0.
class CountingOracle final : public QuadraticOracle {
 public:
  CountingOracle(const Comm& comm, std::vector<float> target) : QuadraticOracle(comm, std::move(target)) {}
  static double error_at(const Vector& step) { return std::tanh(std::abs(step[0]) + 0.1 * std::abs(step[1])); }

  std::vector<Judgement> on_root(const ColumnMatrix& steps) override {
    ++calls;
    evaluations += steps.rows();
    std::vector<Judgement> judgements = QuadraticOracle::on_root(steps);
    const Rows rows = rows_of(steps);
    for (std::size_t s = 0; s < rows.size(); ++s) {
      judgements[s].error = error_at(Vector(rows[s].begin(), rows[s].end()));
    }
    return judgements;
  }
  std::size_t calls = 0, evaluations = 0;
};

Vector trimmed_mean(const Vectors& rows, std::size_t f) {
  return brute_force::by_column(rows, [&](const Vector& column) {
    return brute_force::trimmed_mean(column, std::min(f, (column.size() - 1) / 2));
  });
}

/// What the rejection leaves: all but the f of largest impact.
Indices rejected(const Vectors& rows, std::size_t f, const std::function<double(const Vector&)>& measure) {
  const Indices all = brute_force::everybody(rows.size());
  const double with = measure(trimmed_mean(rows, f));
  return brute_force::lowest(all, f, [&](std::size_t i) {
    Indices others = all;
    std::erase(others, i);
    return measure(trimmed_mean(brute_force::some(rows, others), f)) - with;
  });
}

TEST(Rejection, drops_the_updates_of_largest_impact) {
  for (std::size_t n = 3; n <= 24; ++n) {
    const Rows rows = random_rows(n, d);
    const std::vector<float> target = random_rows(n + 1, d).back();
    const Vectors vectors = brute_force::of(rows);
    for (std::size_t f = 0; 2 * f + 1 <= n && f <= 4; ++f) {
      const Indices by_error = rejected(vectors, f, CountingOracle::error_at);
      const Indices by_loss = rejected(vectors, f, [&](const Vector& step) { return loss_at(step, target); });
      const auto expect = [&](const std::string& rule, const std::vector<Indices>& dropped) {
        Indices left = brute_force::everybody(n);
        for (const Indices& some : dropped) {
          for (const std::size_t i : some) std::erase(left, i);
        }
        CountingOracle oracle(Comm::self(), target);
        const Outcome outcome = run_rule(rule + " {}", {.rows = rows, .tolerated_f = f, .losses = &oracle});

        brute_force::expect_close(outcome.step, trimmed_mean(brute_force::some(vectors, left), f));
        brute_force::expect_close(outcome.weights, brute_force::shares(left, n), 1e-12);
        EXPECT_EQ(outcome.diagnostics.at("rejected"), static_cast<double>(n - left.size()));
        EXPECT_EQ(oracle.calls, 1U);
        EXPECT_EQ(oracle.evaluations, n + 1);
      };
      expect("err", {by_error});
      expect("lfr", {by_loss});
      expect("err_lfr", {by_error, by_loss});
    }
  }
}

TEST(Rejection, removes_a_planted_update_behind_any_base) {
  Rows rows = random_rows(9, d, 0.1);
  rows[4].assign(d, 5.0F);
  const std::vector<float> root(d, 0.0F);
  for (const char* base : {"mean {}", "median {}", "krum { f: 1 }", "pre { nnm { f: 1 } } mean {}",
                           "pre { bucketing {} } trimmed_mean { f: 1 }"}) {
    for (const char* rule : {"err", "lfr", "err_lfr"}) {
      const Outcome outcome =
          run_rule(std::string(rule) + " { f: 1 base { " + base + " } }", {.rows = rows, .root_update = root});

      EXPECT_EQ(outcome.weights[4], 0.0) << rule << ' ' << base;
      EXPECT_NEAR(std::accumulate(outcome.weights.begin(), outcome.weights.end(), 0.0), 1.0, 1e-12);
      for (const float value : outcome.step) EXPECT_LT(std::abs(value), 0.5F) << rule << ' ' << base;
    }
  }
}

TEST(Rejection, weighs_those_left_as_the_base_does) {
  const Outcome outcome = run_rule("lfr { f: 1 base { mean {} } }",
                                   {.rows = {{1}, {9}, {2}}, .samples = {30, 1, 10}, .root_update = {1.0F}});

  EXPECT_THAT(outcome.weights, ElementsAre(0.75, 0.0, 0.25));
  EXPECT_THAT(outcome.step, ElementsAre(1.25F));
}

/// Networks answer huge parameters with NaN.
class OverflowingOracle final : public QuadraticOracle {
 public:
  using QuadraticOracle::QuadraticOracle;
  std::vector<Judgement> on_root(const ColumnMatrix& steps) override {
    std::vector<Judgement> judgements = QuadraticOracle::on_root(steps);
    for (Judgement& judgement : judgements) {
      if (judgement.loss > 1e6) judgement.loss = std::numeric_limits<double>::quiet_NaN();
    }
    return judgements;
  }
};

TEST(Rejection, takes_a_loss_that_is_not_a_number_for_the_worst) {
  Rows rows = random_rows(6, d, 0.1);
  rows[5].assign(d, 1e30F);
  OverflowingOracle oracle(Comm::self(), std::vector<float>(d, 0.0F));
  const Outcome outcome = run_rule("lfr { f: 1 base { mean {} } }", {.rows = rows, .losses = &oracle});

  EXPECT_EQ(outcome.weights[5], 0.0);
  for (const double score : outcome.scores) EXPECT_TRUE(std::isfinite(score));
}

TEST(Rejection, refuses_bases_that_cannot_be_tried_out) {
  EXPECT_THROW(make_rule("lfr { base { foolsgold {} } }"), InputError);
  EXPECT_THROW(make_rule("err { f: 2 base { krum { f: 3 } } }")->check({.updates = 10}), InputError);  // 8 < 2 * 3 + 3
  EXPECT_NO_THROW(make_rule("err { f: 2 base { krum { f: 3 } } }")->check({.updates = 11}));
  EXPECT_THROW(make_rule("err_lfr { f: 2 base { krum { f: 3 } } }")->check({.updates = 12}), InputError);
  EXPECT_THROW(make_rule("err { f: 1 base { tolerated_f: 9 krum {} } }")->check({.updates = 10}), InputError);
  EXPECT_THROW(make_rule("err_lfr { f: 3 }")->check({.updates = 6}), InputError);
}

}  // namespace
}  // namespace souk::rejection_test
