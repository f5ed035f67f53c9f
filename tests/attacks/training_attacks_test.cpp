// Attacks that train, on a member whose loss is known: half the squared distance of its parameters to a target of its
// own. A lab that takes exact gradient steps on it is an oracle for where each attack must end.
#include <cmath>
#include <functional>

#include <gmock/gmock.h>

#include "sim/base/archive.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/params/linear.hpp"
#include "tests/support/attack_world.hpp"

namespace souk::training_attacks_test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatNear;

/// Gradient descent on |w - target|^2 / 2, rate 0.1; the poisoned target is another one. Global parameters are 0.
class QuadraticLab final : public Lab {
 public:
  ClassGradients class_gradients(std::span<const AgentId>, std::size_t) override { return {}; }
  QuadraticLab(const Comm& comm, std::vector<float> clean, std::vector<float> poisoned, int steps_per_epoch = 200,
               std::vector<std::int64_t> tensors = {})
      : comm_(comm),
        clean_(std::move(clean)),
        poisoned_(std::move(poisoned)),
        steps_(steps_per_epoch),
        layout_(slots(tensors.empty() ? std::vector{static_cast<std::int64_t>(clean_.size())} : tensors)) {}

  ColumnMatrix train(std::span<const AgentId> who, const LabTraining& training) override {
    const std::size_t d = clean_.size();
    std::vector<std::vector<float>> anchors;
    for (const ColumnVector* anchor : training.anchors) {
      anchors.emplace_back(d);
      replicate(comm_, PanelPlan(d), *anchor, anchors.back());
    }
    const std::vector<RowRange> all(static_cast<std::size_t>(comm_.size()), RowRange{0, who.size()});
    std::vector<float> starts(who.size() * d);
    if (training.starts != nullptr) starts = gather_rows(comm_, *training.starts, all);
    Rows rows;
    const std::vector<float> global(d);
    const std::vector<float>& target = training.poisoned ? poisoned_ : clean_;
    const auto epochs = static_cast<int>(training.epochs > 0 ? training.epochs : 1);
    for (std::size_t i = 0; i < who.size(); ++i) {
      std::vector<float> w(starts.begin() + static_cast<std::ptrdiff_t>(i * d),
                           starts.begin() + static_cast<std::ptrdiff_t>((i + 1) * d));
      std::vector<float> gradient(d);
      for (int step = 0; step < steps_ * epochs; ++step) {
        for (std::size_t v = 0; v < d; ++v) gradient[v] = w[v] - target[v];
        if (training.before_step) training.before_step(i, {w, global, anchors, layout_.slots()}, gradient);
        const auto rate = static_cast<float>(0.1 * training.rate_factor);
        for (std::size_t v = 0; v < d; ++v) w[v] -= rate * gradient[v];
        if (training.after_step) training.after_step(i, {w, global, anchors, layout_.slots()}, w);
      }
      rows.push_back(w);
    }
    trained_.push_back(std::make_unique<TestMatrix>(comm_, rows));
    return trained_.back()->columns().select(comm_, rows_of(who.size()));
  }

 private:
  static std::vector<Slot> slots(const std::vector<std::int64_t>& sizes) {
    std::vector<Slot> slots;
    for (const std::int64_t size : sizes) slots.push_back({.name = std::to_string(slots.size()), .shape = {size}});
    return slots;
  }
  static std::vector<std::size_t> rows_of(std::size_t count) {
    std::vector<std::size_t> rows(count);
    for (std::size_t i = 0; i < count; ++i) rows[i] = i;
    return rows;
  }
  const Comm& comm_;
  std::vector<float> clean_, poisoned_;
  int steps_;
  ParameterLayout layout_;
  std::vector<std::unique_ptr<TestMatrix>> trained_;
};

const Comm comm = Comm::self();

AttackRound with_lab(Lab& lab, Rows honest, std::size_t members = 1) {
  return {.honest = std::move(honest), .members = members, .level = Knowledge::all, .lab = &lab};
}

TEST(ConstrainAndScale, ends_where_task_and_distance_balance_and_scales_up) {
  // alpha (w - t) + (1 - alpha) w = 0: w = alpha t.
  QuadraticLab lab(comm, {0, 0}, {4, -8});
  const CraftedRows crafted = craft("constrain_and_scale { alpha: 0.25 gamma: 3 }", with_lab(lab, {{0, 0}, {1, 1}}));
  EXPECT_THAT(crafted.rows[0], ElementsAre(FloatNear(3, 1e-4F), FloatNear(-6, 1e-4F)));
  EXPECT_EQ(craft("constrain_and_scale {}", with_lab(lab, {{0, 0}, {1, 1}, {1, 1}, {1, 1}}, 2)).diagnostics.at("gamma"),
            2.0)
      << "n / m";
}

TEST(ConstrainAndScale, stays_within_its_norm) {
  QuadraticLab lab(comm, {0, 0}, {3, 4});
  EXPECT_THAT(craft("constrain_and_scale { alpha: 1 gamma: 10 norm: 2.5 }", with_lab(lab, {{0, 0}, {1, 1}})).rows[0],
              ElementsAre(FloatNear(1.5, 1e-4F), FloatNear(2, 1e-4F)));
}

TEST(AlieBackdoor, balances_the_backdoor_with_the_mean_and_stays_within_z_deviations) {
  // Benign {0, 10} and {4, 10}: mean {2, 10}, deviations {2, 0}. Unclipped: mean + alpha (t - mean) = {7, ...}.
  QuadraticLab lab(comm, {0, 0}, {12, 0});
  const Rows honest{{9, 9}, {0, 10}, {4, 10}};
  EXPECT_THAT(craft("alie_backdoor { alpha: 0.5 z: 10 }", with_lab(lab, honest)).rows[0],
              ElementsAre(FloatNear(7, 1e-4F), FloatNear(10, 1e-4F)));
  EXPECT_THAT(craft("alie_backdoor { alpha: 0.5 z: 0.5 }", with_lab(lab, honest)).rows[0],
              ElementsAre(FloatNear(3, 1e-4F), FloatNear(10, 1e-4F)));
}

TEST(AlieBackdoor, measures_the_distance_by_the_mean_square_of_each_tensor) {
  // Mean 0, deviations 1; alpha (w - 12) + 2 (1 - alpha) w / size = 0. Of one value: w = 12 alpha / (2 - alpha); of
  // four: 24 alpha / (1 + alpha).
  QuadraticLab lab(comm, std::vector<float>(5), std::vector<float>(5, 12.0F), 400, {1, 4});
  const Rows honest{{9, 9, 9, 9, 9}, {-1, -1, -1, -1, -1}, {1, 1, 1, 1, 1}};
  EXPECT_THAT(craft("alie_backdoor { alpha: 0.5 z: 100 }", with_lab(lab, honest)).rows[0],
              ElementsAre(FloatNear(4, 1e-3F), FloatNear(8, 1e-3F), FloatNear(8, 1e-3F), FloatNear(8, 1e-3F),
                          FloatNear(8, 1e-3F)));
}

TEST(AlieBackdoor, pulls_no_harder_on_a_large_layer_than_the_authors_do) {
  // The 784 x 100 layer, alpha 0.2: the gradient of the distance is 2 * 0.8 / 78400 = 2.04e-5 per unit of distance.
  class OneGradient final : public Lab {
    ClassGradients class_gradients(std::span<const AgentId>, std::size_t) override { return {}; }

   public:
    ColumnMatrix train(std::span<const AgentId>, const LabTraining& training) override {
      const ParameterLayout layout({{.name = "w", .shape = {100, 784}}});
      std::vector<float> w(layout.dimension(), 1.0F), zeros(layout.dimension());
      const std::vector<std::vector<float>> anchors{zeros};
      gradient = zeros;
      training.before_step(0, {w, zeros, anchors, layout.slots()}, gradient);
      return ColumnMatrixBuilder(comm, 1, layout.dimension()).finish();
    }
    std::vector<float> gradient;
  } lab;
  const Rows honest(3, std::vector<float>(78400));
  craft("alie_backdoor {}", with_lab(lab, honest));
  EXPECT_THAT(lab.gradient, Each(FloatNear(2.0408e-5F, 1e-9F)));
}

TEST(Neurotoxin, leaves_alone_what_the_last_change_moved_most) {
  QuadraticLab lab(comm, {0, 0, 0, 0}, {1, 2, 3, 4});
  AttackRound round = with_lab(lab, {{0, 0, 0, 0}, {0, 0, 0, 0}});
  round.change = {-5, 0.5F, 1, 0};
  EXPECT_THAT(craft("neurotoxin { top: 0.5 scale: 2 }", round).rows[0],
              ElementsAre(0, FloatNear(4, 1e-4F), 0, FloatNear(8, 1e-4F)));
  round.change = {};
  EXPECT_THAT(craft("neurotoxin { top: 0.5 }", round).rows[0],
              ElementsAre(FloatNear(1, 1e-4F), FloatNear(2, 1e-4F), FloatNear(3, 1e-4F), FloatNear(4, 1e-4F)))
      << "no change yet, nothing to spare";
}

TEST(ProjectedGradientAscent, climbs_away_from_the_minimum_to_the_mean_honest_norm) {
  // From 0 the clean loss rises away from {3, 4}; benign norms 5 and 15, mean 10.
  QuadraticLab lab(comm, {3, 4}, {100, 100}, 20);
  const CraftedRows crafted = craft("pga {}", with_lab(lab, {{0, 0}, {5, 0}, {0, 15}}));
  EXPECT_THAT(crafted.rows[0], ElementsAre(FloatNear(-6, 1e-3F), FloatNear(-8, 1e-3F)));
  EXPECT_NEAR(crafted.diagnostics.at("norm"), 10.0, 1e-9);
}

/// The mean of the updates whose norm is at most 30.
class ShortOnes final : public RuleProbe {
  ProbeResult judge(const ColumnMatrix& updates, std::span<const std::size_t>) override {
    const std::vector<double> squares = squared_norms(comm, updates);
    std::vector<double> weights;
    double kept = 0.0;
    for (const double square : squares) kept += square <= 900.0 ? 1.0 : 0.0;
    for (const double square : squares) weights.push_back(square <= 900.0 ? 1.0 / kept : 0.0);
    return {combine(updates, weights), weights};
  }
};

TEST(ProjectedGradientAscent, goes_as_far_as_the_rule_lets_it) {
  QuadraticLab lab(comm, {3, 4}, {100, 100}, 20);
  ShortOnes rule;
  AttackRound round = with_lab(lab, {{0, 0}, {5, 0}, {0, 15}});
  round.level = Knowledge::rule;
  round.rule = &rule;
  EXPECT_NEAR(craft("pga {}", round).diagnostics.at("norm"), 20.0, 1e-9) << "40 is rejected";
}

TEST(AlternatingMinimization, boosts_the_poisoned_pass_and_repents_in_the_clean_one) {
  // One exact poisoned pass: 0 -> {2, 0}; boosted by 3: {6, 0}. The clean pass is one step of rate 0.1 towards {0, 1}:
  // gradient {6, -1}, and rho {6 - c, 0 - c'} of half the squared distance to the last change {1, 0}.
  QuadraticLab exact(comm, {0, 1}, {2, 0}, 1);
  class TwoLabs final : public Lab {
    ClassGradients class_gradients(std::span<const AgentId>, std::size_t) override { return {}; }

   public:
    explicit TwoLabs(Lab& clean) : clean_(clean), poisoned_(comm, {0, 1}, {2, 0}, 400) {}
    ColumnMatrix train(std::span<const AgentId> who, const LabTraining& training) override {
      return training.poisoned ? poisoned_.train(who, training) : clean_.train(who, training);
    }
    Lab& clean_;
    QuadraticLab poisoned_;
  } lab(exact);
  AttackRound round = with_lab(lab, {{0, 0}, {1, 1}});
  round.change = {1, 0};
  EXPECT_THAT(craft("alter_min { rounds: 1 boost: 3 rho: 0.5 }", round).rows[0],
              ElementsAre(FloatNear(6 - 0.1F * (6 + 2.5F), 1e-3F), FloatNear(0.1F, 1e-3F)));
}

TEST(FlDetectorAdaptive, trains_freely_first_and_near_its_prediction_then) {
  // Second round: no curvature known, so the prediction is the last submission, t = {4, 0} reached in the first. The
  // new target is {10, 0}: with lambda 0.5 the pull of unit length stops the descent where 0.5 (10 - w) = 0.5.
  const auto attack = std::move(make_update_attacks(attack_group("fldetector_adaptive { lambda: 0.5 }")).front());
  QuadraticLab first(comm, {0, 0}, {4, 0}), second(comm, {0, 0}, {10, 0});
  EXPECT_THAT(craft(comm, *attack, with_lab(first, {{0, 0}, {1, 1}})).rows[0],
              ElementsAre(FloatNear(4, 1e-4F), FloatNear(0, 1e-4F)));
  AttackRound round = with_lab(second, {{0, 0}, {1, 1}});
  round.round = 2;
  EXPECT_THAT(craft(comm, *attack, round).rows[0], ElementsAre(FloatNear(9, 0.01F), FloatNear(0, 1e-3F)));
}

TEST(TrainingAttacks, give_the_same_bits_on_any_number_of_ranks_and_after_a_reload) {
  for (const std::string text : {"constrain_and_scale { alpha: 0.7 }", "alie_backdoor {}", "neurotoxin {}",
                                 "alter_min {}", "fldetector_adaptive {}", "pga {}"}) {
    Rows expected;
    for (const int ranks : {1, 2, 3}) {
      run_team(ranks, [&](const Comm& team) {
        const Rows targets = random_rows(2, 500);
        QuadraticLab lab(team, targets[0], targets[1], 3);
        auto attack = std::move(make_update_attacks(attack_group(text)).front());
        Rows rows;
        for (std::uint32_t r = 1; r <= 4; ++r) {
          AttackRound round = with_lab(lab, random_rows(5, 500, r), 2);
          round.change = random_rows(1, 500, 0.1 * r)[0];
          round.round = r;
          const CraftedRows crafted = craft(team, *attack, round);
          rows.insert(rows.end(), crafted.rows.begin(), crafted.rows.end());
          const std::vector<AgentId> agents{{0}, {1}};
          const ColumnVector step(team, random_rows(1, 500, 0.1 * (r + 1))[0]);
          attack->observe({team, {r}, agents, {}, {}, step, 500});
          if (ranks == 1 || r != 2) continue;
          SaveArchive saved;
          attack->serialize(saved, team);
          attack = std::move(make_update_attacks(attack_group(text)).front());
          LoadArchive load(saved.bytes());
          attack->serialize(load, team);
        }
        if (team.rank() != 0) return;
        if (expected.empty()) expected = rows;
        EXPECT_EQ(rows, expected) << text << " on " << ranks;
      });
    }
  }
}

}  // namespace
}  // namespace souk::training_attacks_test
