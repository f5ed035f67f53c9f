#include "attacks/perceptron.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace souk::perceptron_test {
namespace {

Stream stream(std::uint16_t lane) { return Stream(5, StreamKey{Purpose::dataset, nobody, RoundIndex{0}, lane}); }

std::vector<double> normal_values(std::size_t size, std::uint16_t lane) {
  Stream random = stream(lane);
  std::vector<double> values(size);
  for (double& x : values) x = random.normal();
  return values;
}

/// Two values; class 1 where their signs differ.
struct Quadrants {
  explicit Quadrants(std::size_t count) : values(normal_values(2 * count, 3)) {
    for (std::size_t i = 0; i < count; ++i) {
      rows.push_back({.columns = {}, .values = std::span(values).subspan(2 * i, 2)});
      labels.push_back(values[2 * i] * values[2 * i + 1] < 0.0 ? 1U : 0U);
    }
  }
  std::vector<double> values;
  std::vector<InputRow> rows;
  std::vector<std::uint32_t> labels;
};

TEST(Perceptron, has_the_gradient_of_its_loss) {
  for (const double dropout : {0.0, 0.5}) {
    Stream first = stream(1);
    Perceptron network({4, 6, 5, 3}, dropout, first);
    // Away from 0, where biases begin.
    const std::vector<double> values = normal_values(network.parameters().size(), 2);
    std::ranges::copy(values, network.parameters().begin());
    const std::vector<double> inputs{0.3, -1.2, 0.7, 2.0};
    const InputRow row{.columns = {}, .values = inputs};
    std::vector<double> gradient(values.size()), ignored(values.size());
    const auto loss = [&](std::span<double> to) {
      Stream draws = stream(9);  // the same values are dropped
      return network.add_gradient(row, 2, &draws, to);
    };
    loss(gradient);
    for (std::size_t p = 0; p < values.size(); ++p) {
      double& x = network.parameters()[p];
      const double before = x, step = 1e-6;
      x = before + step;
      const double above = loss(ignored);
      x = before - step;
      const double below = loss(ignored);
      x = before;
      EXPECT_NEAR(gradient[p], (above - below) / (2.0 * step), 1e-7 * (1.0 + std::abs(gradient[p]))) << p;
    }
  }
}

TEST(Perceptron, reads_sparse_rows_as_full_ones) {
  Stream first = stream(1);
  Perceptron network({5, 4, 2}, 0.0, first);
  const std::vector<double> full{0, 2, 0, -1, 0}, some{2, -1};
  const std::vector<std::uint32_t> columns{1, 3};
  const auto a = network.logits({.columns = {}, .values = full});
  const std::vector<double> of_full(a.begin(), a.end());
  const auto b = network.logits({.columns = columns, .values = some});
  EXPECT_EQ(of_full, std::vector<double>(b.begin(), b.end()));
}

TEST(Perceptron, adds_the_decay_of_what_it_learned) {
  const Quadrants data(64);
  const auto size_after = [&](double decay) {
    Perceptron network = trained_perceptron({2, 8, 2}, 0.0, data.rows, data.labels,
                                            {.passes = 50, .batch = 16, .rate = 0.01, .decay = decay}, 1);
    double squares = 0.0;
    for (const double x : network.parameters()) squares += x * x;
    return squares;
  };
  EXPECT_LT(size_after(0.1), 0.5 * size_after(0.0));
}

TEST(Perceptron, learns_what_no_line_divides) {
  const Quadrants data(400);
  Perceptron network =
      trained_perceptron({2, 16, 16, 2}, 0.1, data.rows, data.labels, {.passes = 60, .batch = 32, .rate = 0.01}, 1);
  std::size_t right = 0;
  for (std::size_t i = 0; i < data.rows.size(); ++i) {
    const auto logits = network.logits(data.rows[i]);
    right += (logits[1] > logits[0]) == (data.labels[i] == 1) ? 1U : 0U;
  }
  EXPECT_GT(right, 370U);
}

TEST(Perceptron, is_the_same_for_the_same_seed) {
  const Quadrants data(100);
  const auto trained = [&](std::uint64_t seed) {
    Perceptron network = trained_perceptron({2, 8, 2}, 0.5, data.rows, data.labels, {.passes = 5}, seed);
    return std::vector<double>(network.parameters().begin(), network.parameters().end());
  };
  EXPECT_EQ(trained(3), trained(3));
  EXPECT_NE(trained(3), trained(4));
}

}  // namespace
}  // namespace souk::perceptron_test
