// Low-rank adapters around a frozen network from PyTorch: influence steps move them alone, by a system that is written
// down again here, in double precision and by differences of the loss.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/learn/script_fixtures.torch.hpp"
#include "tests/support/forgetting.hpp"

namespace souk::own_adapters_test {
namespace {

using scripts::net;
using scripts::saved;
using scripts::some_values;
using testing::DoubleNear;
using testing::Pointwise;

constexpr std::size_t inputs = 20, hidden = 6, classes = 4, rank = 1;
constexpr double scale = 1.5;

/// W x + b + scale up down x, of which up and down train: Hu et al., "LoRA", ICLR 2022; up begins with zeros.
/// `down` may be frozen: then the loss is convex in the other.
scripts::Module adapted(std::int64_t from, std::int64_t to, bool down_trains = true) {
  scripts::Module module = scripts::layer("Adapted");
  const auto width = static_cast<std::int64_t>(rank);
  module.register_parameter("weight", some_values({to, from}).mul(3.0), false);
  module.register_parameter("bias", some_values({to}), false);
  module.register_parameter("down", some_values({width, from}).mul(down_trains ? 1.0 : 8.0).requires_grad_(down_trains),
                            false);
  module.register_parameter("up", at::zeros({to, width}).requires_grad_(true), false);
  module.define("def forward(self, x):\n  return torch.linear(x, self.weight, self.bias) + " + std::to_string(scale) +
                " * torch.linear(torch.linear(x, self.down), self.up)\n");
  return module;
}

std::string adapters() {
  return saved(net({{"body", adapted(inputs, hidden)}, {"head", adapted(hidden, classes)}},
                   "return self.head(torch.tanh(self.body(x)))"));
}

/// Rounds of four clients, in the last of which nothing is learned.
std::string run_with(const std::string& section, const std::string& model, std::uint32_t rounds = 4,
                     const std::string& training = "") {
  return "rounds: " + std::to_string(rounds + 1) + " training_rounds: " + std::to_string(rounds) +
         " task { data { baskets { train_samples: 160 test_samples: 400 classes: 4 features: 20 overlap: 0.6 } } model "
         "{ " +
         model + " } training { learning_rate: 0.2 batch_size: 0 sgd { weight_decay: 0.01 } " + training +
         " } } participants { clients: 4 everyone: true } unlearning { " + section + " }";
}

/// Samples as a run has them.
struct Rows {
  Rows(const Finished& run, const std::vector<SampleIndex>& units) {
    const Dataset& train = run.federation().train();
    std::vector<float> row(inputs);
    for (const SampleIndex unit : units) {
      train.copy_features(std::span(&unit, 1), row);
      features.emplace_back(row.begin(), row.end());
      labels.push_back(static_cast<std::size_t>(train.labels()[unit]));
    }
  }
  std::vector<std::vector<double>> features;
  std::vector<std::size_t> labels;
};

/// The network in double precision; adapters are those given, all else is the run's.
class Written {
 public:
  explicit Written(const Finished& run) : layout_(run.task().layout()), model_(run.model()) {}
  std::size_t trainable() const { return layout_.trainable(); }
  std::vector<double> adapters() const {
    return {model_.begin(), model_.begin() + static_cast<std::ptrdiff_t>(trainable())};
  }

  /// Sum of the losses.
  double loss(const std::vector<double>& adapters, const Rows& rows) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
      std::vector<double> between = layer("body", adapters, rows.features[i], hidden);
      for (double& value : between) value = std::tanh(value);
      const std::vector<double> logits = layer("head", adapters, between, classes);
      double exponentials = 0.0;
      for (const double z : logits) exponentials += std::exp(z);
      sum += std::log(exponentials) - logits[rows.labels[i]];
    }
    return sum;
  }

 private:
  double value(const std::vector<double>& adapters, std::size_t at) const {
    return at < trainable() ? adapters[at] : static_cast<double>(model_[at]);
  }
  std::vector<double> times(const std::string& name, const std::vector<double>& adapters, const std::vector<double>& x,
                            std::size_t rows) const {
    const std::size_t offset = layout_.slot(name).offset;
    std::vector<double> out(rows);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < x.size(); ++c) out[r] += value(adapters, offset + r * x.size() + c) * x[c];
    }
    return out;
  }
  std::vector<double> layer(const std::string& name, const std::vector<double>& adapters, const std::vector<double>& x,
                            std::size_t outputs) const {
    std::vector<double> out = times(name + ".weight", adapters, x, outputs);
    const std::vector<double> low = times(name + ".up", adapters, times(name + ".down", adapters, x, rank), outputs);
    for (std::size_t c = 0; c < outputs; ++c) {
      out[c] += value(adapters, layout_.slot(name + ".bias").offset + c) + scale * low[c];
    }
    return out;
  }

  const ParameterLayout& layout_;
  std::vector<float> model_;
};

using Loss = std::function<double(const std::vector<double>&)>;

std::vector<double> slope_of(const Loss& loss, std::vector<double> at) {
  std::vector<double> slope;
  for (double& value : at) {
    const double here = value;
    value = here + 1e-5;
    const double up = loss(at);
    value = here - 1e-5;
    slope.push_back((up - loss(at)) / 2e-5);
    value = here;
  }
  return slope;
}

/// x of (H + (0.01 + 1) I) x = b, H of the mean loss over all at `at`, divided by their number.
std::vector<double> dense_step(const Written& network, const Rows& all, const std::vector<double>& at,
                               const std::vector<double>& b) {
  const auto n = static_cast<double>(all.labels.size());
  std::vector<std::vector<double>> matrix;
  for (std::size_t i = 0; i < at.size(); ++i) {
    std::vector<double> up = at, down = at;
    up[i] += 1e-4;
    down[i] -= 1e-4;
    const auto loss = [&](const std::vector<double>& adapters) { return network.loss(adapters, all); };
    const std::vector<double> above = slope_of(loss, up), below = slope_of(loss, down);
    std::vector<double>& column = matrix.emplace_back();
    for (std::size_t j = 0; j < at.size(); ++j) {
      column.push_back((above[j] - below[j]) / (2e-4 * n) + (i == j ? 0.01 + 1.0 : 0.0));
    }
  }
  std::vector<double> x = solved(std::move(matrix), b);
  for (double& value : x) value /= n;
  return x;
}

std::vector<SampleIndex> everyone(const Finished& run) { return units_of(run.holders({0, 1, 2, 3})); }

void expect_step(const Finished& before, const Finished& after, const std::vector<double>& step) {
  const std::vector<double> moved = difference(after.model(), before.model());
  const auto adapters = moved.begin() + static_cast<std::ptrdiff_t>(step.size());
  EXPECT_THAT(std::vector<double>(moved.begin(), adapters), Pointwise(DoubleNear(2e-3 * length(step)), step));
  EXPECT_TRUE(std::all_of(adapters, moved.end(), [](double v) { return v == 0.0; })) << "the frozen network moved";
}

const std::string influence = "influence_step { form: INFLUENCE damping: 1 halvings: 0 ";

/// b of samples that go: their gradients, and the weight decay of their number.
TEST(Adapters, alone_move_by_influence_of_samples_that_go) {
  const Finished before(run_with("", adapters()));
  const Written network(before);
  const std::vector<double> at = network.adapters();
  EXPECT_EQ(at.size(), rank * (inputs + hidden) + rank * (hidden + classes));
  const Rows gone(before, before.units_of(2)), all(before, everyone(before));
  std::vector<double> b =
      slope_of([&](const std::vector<double>& adapters) { return network.loss(adapters, gone); }, at);
  for (std::size_t v = 0; v < b.size(); ++v) b[v] += 0.01 * static_cast<double>(gone.labels.size()) * at[v];
  const std::vector<double> step = dense_step(network, all, at, b);
  EXPECT_GT(length(step), 1e-2);
  for (const std::string solver : {"cholesky {}", "conjugate_gradient { tolerance: 1e-6 }"}) {
    expect_step(
        before,
        Finished(run_with("requests { name: \"r\" round: 5 samples { of_client: 2 } " + influence + solver + " } }",
                          adapters())),
        step);
  }
}

/// b of corrected labels: gradients before minus after.
TEST(Adapters, alone_move_by_influence_of_corrected_labels) {
  const std::string wrong = "at_first { of { of_client: 2 share: 0.5 } another_label {} } ";
  const Finished before(run_with(wrong, adapters()));
  const Finished after(run_with(wrong + "requests { name: \"r\" round: 5 change { of { of_client: 2 } as_stored {} } " +
                                    influence + "cholesky {} } }",
                                adapters()));
  const Written network(before);
  const std::vector<double> at = network.adapters();
  const std::vector<SampleIndex> mine = before.units_of(2);
  const Rows wrong_ones(before, mine), right_ones(after, mine), all(before, everyone(before));
  EXPECT_NE(wrong_ones.labels, right_ones.labels);
  const std::vector<double> b = slope_of(
      [&](const std::vector<double>& adapters) {
        return network.loss(adapters, wrong_ones) - network.loss(adapters, right_ones);
      },
      at);
  expect_step(before, after, dense_step(network, all, at, b));
}

/// What is convex has one minimum to go to: of the last layer's adapters, where the matrix between is frozen, too.
TEST(Adapters, of_a_convex_objective_come_near_to_retraining) {
  scripts::Module body = scripts::linear(inputs, hidden);
  for (const auto& parameter : body.named_parameters()) parameter.value.set_requires_grad(false);
  const std::string model = saved(
      net({{"body", body}, {"head", adapted(hidden, classes, false)}}, "return self.head(torch.tanh(self.body(x)))"));
  const auto after = [&](const std::string& how) {
    return Finished(
        run_with("at_first { of { of_client: 2 share: 0.5 } another_label {} } requests { name: \"r\" round: "
                 "7 change { of { of_client: 2 } as_stored {} } reference {} " +
                     how + " }",
                 model, 6, "local_epochs: 60"));
  };
  const Finished nothing(after("no_update {}")), step(after("influence_step { damping: 0 cholesky {} }"));
  EXPECT_EQ(step.task().layout().trainable(), rank * classes);
  EXPECT_GT(nothing.number("unlearning.r.after.divergence"), 1e-5);
  EXPECT_LT(step.number("unlearning.r.relative_distance"), 0.25);
  EXPECT_LT(step.number("unlearning.r.after.divergence"), 0.1 * nothing.number("unlearning.r.after.divergence"));
}

}  // namespace
}  // namespace souk::own_adapters_test
