// The server's own data, validators, and the door through which rules ask about models.
#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/cast/population.hpp"
#include "agents/cast/root_data.hpp"
#include "agents/cast/shared_data.hpp"
#include "agents/cast/validators.hpp"
#include "agents/training/attackers.hpp"
#include "agents/training/model_judge.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/learn/tasks/row_task.hpp"
#include "tests/support/matrices.hpp"

namespace souk::judging_test {
namespace {

ResolvedScenario resolve(const std::string& text) {
  return resolve_scenario({.file_name = "test", .text = text, .overrides = {}});
}

/// 300 samples of 5 classes in turn.
std::vector<std::int32_t> turning_labels() {
  std::vector<std::int32_t> labels(300);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 5);
  return labels;
}

std::vector<SampleIndex> listed(const RootSamples& root) { return {root.samples().begin(), root.samples().end()}; }

TEST(RootData, is_distinct_ascending_and_has_the_class_shares_that_bias_asks_for) {
  const auto labels = turning_labels();
  const auto uniform = resolve("root { samples: 40 }");
  const RootSamples root = draw_root_data(uniform.scenario->root(), labels, 5, 1);
  const std::vector<SampleIndex> drawn = listed(root);
  EXPECT_EQ(drawn.size(), 40U);
  EXPECT_EQ(std::set<SampleIndex>(drawn.begin(), drawn.end()).size(), 40U);
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
  EXPECT_NE(drawn, listed(draw_root_data(uniform.scenario->root(), labels, 5, 2)));

  const auto biased = resolve("root { samples: 42 bias: 0.5 bias_class: 3 }");
  std::vector<int> counts(5);
  for (const SampleIndex i : listed(draw_root_data(biased.scenario->root(), labels, 5, 1))) ++counts[i % 5];
  EXPECT_THAT(counts, testing::ElementsAre(6, 5, 5, 21, 5));
  EXPECT_THROW(draw_root_data(resolve("root { samples: 300 }").scenario->root(), labels, 5, 1), InputError);
  EXPECT_THROW(draw_root_data(resolve("root { samples: 99 bias: 1 }").scenario->root(), labels, 5, 1), InputError);
  EXPECT_THROW(draw_root_data(resolve("root { bias_class: 5 bias: 0.5 }").scenario->root(), labels, 5, 1), InputError);
}

TEST(RootData, never_reaches_a_client_and_leaves_out_nothing_else) {
  const auto labels = turning_labels();
  const auto resolved = resolve("partition { dirichlet {} }");
  const std::vector<SampleIndex> reserved{0, 7, 8, 150, 299};
  const DealInput input{.labels = labels, .groups = {}, .classes = 5, .agents = 7, .min_samples = 0};
  const Deal deal = deal_without(reserved, resolved.scenario->partition(), input, 1).deal;
  std::multiset<SampleIndex> dealt(deal.samples.begin(), deal.samples.end());
  dealt.insert(reserved.begin(), reserved.end());
  std::multiset<SampleIndex> everything;
  for (SampleIndex i = 0; i < 300; ++i) everything.insert(i);
  EXPECT_EQ(dealt, everything);
}

/// NaN as a number, so that equal means equal.
std::vector<double> without_nan(std::vector<double> values) {
  for (double& value : values) value = std::isnan(value) ? -1e300 : value;
  return values;
}

/// A small federation on glyphs: data, network, parameters, validators, judge.
class Bench {
 public:
  Bench(const Comm& comm, const std::string& text, std::uint32_t round = 3, ReportEdit edit = {})
      : comm_(comm),
        resolved_(resolve("task { data { glyphs { train_samples: 900 test_samples: 20 } } model { logreg {} } } "
                          "participants { clients: 6 } " +
                          text)),
        data_(load_shared_data(comm, resolved_.scenario->task().data(), 1)),
        task_(make_task(resolved_.scenario->task(), data_.train, data_.test, "cpu")),
        root_(draw_root_data(resolved_.scenario->root(), data_.train.labels(), 10, 1)),
        deal_(deal_without(root_.samples(), resolved_.scenario->partition(),
                           {.labels = data_.train.labels(), .groups = {}, .classes = 10, .agents = 6, .min_samples = 0},
                           1)
                  .deal),
        validators_(resolved_.scenario->validators(), true, deal_, *task_, 1),
        global_(task_->layout().dimension()) {
    Stream random(1, StreamKey{Purpose::weight_init, nobody, {}});
    task_->initialise(random, global_);
    for (std::uint32_t id = 0; id < 6; ++id) clients_.push_back({id});
    judge_.emplace(
        comm_, *task_, root_, validators_, 1,
        ModelJudge::JudgedRound{.round = {round}, .global = global_, .clients = clients_, .edit = std::move(edit)});
  }
  /// Mean loss at global + step over some samples, in one batch.
  double loss_at(const std::vector<float>& step, std::span<const SampleIndex> which) {
    std::vector<float> parameters = global_;
    for (std::size_t v = 0; v < step.size(); ++v) parameters[v] += step[v];
    std::vector<double> sums(task_->tally_size());
    task_->tally(parameters, Split::train, which, sums);
    return task_->scores(sums).loss;
  }
  std::size_t dimension() const { return global_.size(); }

  Comm comm_;
  ResolvedScenario resolved_;
  SharedData data_;
  std::unique_ptr<Task> task_;
  RootSamples root_;
  Deal deal_;
  Validators validators_;
  std::vector<float> global_;
  std::vector<AgentId> clients_;
  std::optional<ModelJudge> judge_;
};

TEST(Validators, hold_out_their_share_and_train_on_the_rest) {
  const Bench bench(Comm::self(), "validators { holdout: 0.3 }");
  for (std::uint32_t id = 0; id < 6; ++id) {
    const auto own = bench.deal_.of(id);
    const auto training = bench.validators_.training_samples({id});
    EXPECT_EQ(training.size(), own.size() - static_cast<std::size_t>(0.3 * static_cast<double>(own.size())));
    EXPECT_EQ(training.size(), bench.validators_.training_count({id}));
    EXPECT_TRUE(std::includes(own.begin(), own.end(), training.begin(), training.end()));
  }
  const Validators nobody_holds(bench.resolved_.scenario->validators(), false, bench.deal_, *bench.task_, 1);
  EXPECT_EQ(nobody_holds.training_count({2}), bench.deal_.of(2).size());
}

TEST(Validators, judge_only_classes_of_which_they_hold_out_enough_and_use_no_more_than_told) {
  Bench bench(Comm::self(), "partition { dirichlet { alpha: 0.3 } } validators { min_samples: 3 max_samples: 7 }");
  bool some_missing = false, some_capped = false;
  for (std::uint32_t id = 0; id < 6; ++id) {
    const auto own = bench.deal_.of(id);
    const auto training = bench.validators_.training_samples({id});
    std::vector<SampleIndex> held;
    std::set_difference(own.begin(), own.end(), training.begin(), training.end(), std::back_inserter(held));
    std::vector<std::size_t> counts(10);
    for (const SampleIndex sample : held) ++counts[static_cast<std::size_t>(bench.data_.train.labels()[sample])];
    const auto losses = bench.validators_.class_losses({id}, {3}, *bench.task_, bench.global_);
    std::size_t used = 0;
    for (std::size_t c = 0; c < 10; ++c) {
      EXPECT_EQ(std::isnan(losses[c]), counts[c] <= 3) << id << " " << c;
      some_missing = some_missing || counts[c] <= 3;
      some_capped = some_capped || counts[c] > 7;
      if (counts[c] > 3) used += std::min<std::size_t>(counts[c], 7);
    }
    EXPECT_EQ(bench.validators_.samples_used({id}, {3}), used);
  }
  EXPECT_TRUE(some_missing && some_capped);
}

TEST(Validators, are_those_of_the_round_or_as_many_as_told_and_none_that_could_judge_nothing) {
  const Bench all(Comm::self(), "");
  EXPECT_EQ(all.validators_.of_round({1}, all.clients_), all.clients_);
  const Bench some(Comm::self(), "validators { per_round: 4 }");
  const auto drawn = some.validators_.of_round({1}, {});
  EXPECT_EQ(drawn.size(), 4U);
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
  EXPECT_NO_THROW(Bench(Comm::self(), "validators { min_samples: 2 }").validators_.check());
  EXPECT_THROW(Bench(Comm::self(), "validators { min_samples: 200 }").validators_.check(), InputError);
  EXPECT_THROW(Bench(Comm::self(), "validators { per_round: 7 }"), InputError);
}

TEST(ModelJudge, root_losses_errors_and_kappas_are_those_of_their_definitions) {
  Bench bench(Comm::self(), "root { samples: 70 }");
  const Rows steps = random_rows(3, bench.dimension(), 0.1);
  const TestMatrix matrix(Comm::self(), steps);
  const auto judged = bench.judge_->on_root(matrix.columns());
  for (std::size_t s = 0; s < 3; ++s) {
    std::vector<float> parameters = bench.global_;
    for (std::size_t v = 0; v < parameters.size(); ++v) parameters[v] += steps[s][v];
    std::vector<float> features(70 * bench.data_.train.features()), logits(700);
    bench.data_.train.copy_features(bench.root_.samples(), features);
    bench.task_->rows()->network().outputs(parameters, {.features = features, .labels = {}, .samples = 70}, logits);
    std::vector<double> confusion(100);
    for (std::size_t i = 0; i < 70; ++i) {
      const auto label = static_cast<std::size_t>(bench.data_.train.labels()[bench.root_.samples()[i]]);
      const auto answer = std::max_element(logits.begin() + static_cast<std::ptrdiff_t>(10 * i),
                                           logits.begin() + static_cast<std::ptrdiff_t>(10 * i + 10));
      confusion[10 * label + static_cast<std::size_t>(answer - logits.begin()) % 10] += 1.0;
    }
    double observed = 0.0, chance = 0.0;
    for (std::size_t c = 0; c < 10; ++c) {
      double row = 0.0, column = 0.0;
      for (std::size_t k = 0; k < 10; ++k) {
        row += confusion[10 * c + k] / 70.0;
        column += confusion[10 * k + c] / 70.0;
      }
      observed += confusion[11 * c] / 70.0;
      chance += row * column;
    }
    EXPECT_NEAR(judged[s].loss, bench.loss_at(steps[s], bench.root_.samples()), 1e-6);
    EXPECT_NEAR(judged[s].error, 1.0 - observed, 1e-12);
    EXPECT_NEAR(judged[s].skill, (observed - chance) / (1.0 - chance), 1e-12);
  }
}

TEST(ModelJudge, root_gradient_is_the_slope_of_the_root_loss) {
  Bench bench(Comm::self(), "root { samples: 70 }");  // three batches, the last one shorter
  const Rows steps = random_rows(2, bench.dimension(), 0.05);
  const ColumnVector gradient = bench.judge_->root_gradient(ColumnVector(Comm::self(), steps[0]));
  double slope = 0.0;
  for (std::size_t v = 0; v < bench.dimension(); ++v) {
    slope += static_cast<double>(gradient.values()[v]) * static_cast<double>(steps[1][v]);
  }
  constexpr float h = 1e-2F;
  std::vector<float> ahead = steps[0], behind = steps[0];
  for (std::size_t v = 0; v < bench.dimension(); ++v) {
    ahead[v] += h * steps[1][v];
    behind[v] -= h * steps[1][v];
  }
  const double difference = bench.loss_at(ahead, bench.root_.samples()) - bench.loss_at(behind, bench.root_.samples());
  EXPECT_NEAR(slope, difference / (2.0 * static_cast<double>(h)), 1e-3 * std::abs(slope));
}

TEST(ModelJudge, reports_are_gains_per_class_and_malicious_validators_change_their_own) {
  Bench bench(Comm::self(), "validators { min_samples: 1 }");
  const Rows steps{random_rows(1, bench.dimension(), 0.1).front(), std::vector<float>(bench.dimension(), 0.0F)};
  const TestMatrix matrix(Comm::self(), steps);
  const auto honest = without_nan(bench.judge_->validator_reports(matrix.columns()));
  ASSERT_EQ(honest.size(), 6U * 2U * 10U);
  std::vector<float> moved = bench.global_;
  for (std::size_t v = 0; v < moved.size(); ++v) moved[v] += steps[0][v];
  const auto before = bench.validators_.class_losses({4}, {3}, *bench.task_, bench.global_);
  const auto after = bench.validators_.class_losses({4}, {3}, *bench.task_, moved);
  for (std::size_t c = 0; c < 10; ++c) {
    if (std::isnan(before[c])) continue;
    EXPECT_EQ(honest[4 * 20 + c], before[c] - after[c]);
    EXPECT_EQ(honest[4 * 20 + 10 + c], 0.0);  // a step of nothing gains nothing
  }

  const auto scenario = resolve("participants { clients: 6 } attacks { count: 2 false_reports {} }");
  const Population population(*scenario.scenario);
  Attackers attackers(*scenario.scenario, population, {.root_update = false, .wanted = 10});
  std::vector<double> reports = honest;
  attackers.edit_reports(Comm::self(), {1}, matrix.columns(), bench.clients_, 10, reports);
  for (std::size_t k = 0; k < reports.size(); ++k) {
    const bool lies = population.group_of({static_cast<std::uint32_t>(k / 20)}) == 0;
    EXPECT_EQ(reports[k], lies ? -honest[k] : honest[k]);
  }
  EXPECT_EQ(bench.judge_->cost().reports, 120U);
  EXPECT_EQ(bench.judge_->cost().candidates, 2U);
}

TEST(ModelJudge, gives_the_same_bits_on_any_number_of_ranks) {
  std::vector<double> expected;
  for (const int ranks : {1, 2, 3, 5, 8}) {
    run_team(ranks, [&](const Comm& comm) {
      Bench bench(comm, "root { samples: 70 } validators { min_samples: 1 }");
      const Rows steps = random_rows(4, bench.dimension(), 0.1);
      const TestMatrix matrix(comm, steps);
      std::vector<double> all = without_nan(bench.judge_->validator_reports(matrix.columns()));
      for (const Judgement& judgement : bench.judge_->on_root(matrix.columns())) {
        all.insert(all.end(), {judgement.loss, judgement.error, judgement.skill});
      }
      const auto ratios = bench.judge_->noise_ratios(matrix.columns(), 600, 1);
      all.insert(all.end(), ratios.begin(), ratios.end());
      const auto gradient = whole(comm, matrix.columns(), bench.judge_->root_gradient(ColumnVector(comm, steps[0])));
      all.insert(all.end(), gradient.begin(), gradient.end());
      if (comm.rank() != 0) return;
      if (expected.empty()) expected = all;
      EXPECT_EQ(all, expected) << ranks;
    });
  }
}

TEST(ModelJudge, noise_ratios_are_one_for_the_global_model_and_differ_by_lane) {
  Bench bench(Comm::self(), "");
  const Rows steps{std::vector<float>(bench.dimension(), 0.0F), random_rows(1, bench.dimension(), 0.1).front()};
  const TestMatrix matrix(Comm::self(), steps);
  const auto first = bench.judge_->noise_ratios(matrix.columns(), 300, 0);
  const auto second = bench.judge_->noise_ratios(matrix.columns(), 300, 1);
  for (std::size_t c = 0; c < 10; ++c) EXPECT_NEAR(first[c], 1.0, 1e-6);
  EXPECT_NE(std::vector<double>(first.begin() + 10, first.end()),
            std::vector<double>(second.begin() + 10, second.end()));
}

}  // namespace
}  // namespace souk::judging_test
