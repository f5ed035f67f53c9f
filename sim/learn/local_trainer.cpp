#include "sim/learn/local_trainer.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/float_buffer.hpp"
#include "sim/learn/optimizer.hpp"
#include "sim/learn/private_steps.hpp"
#include "sim/learn/schedule.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {
namespace {

SOUK_MULTIVERSION void subtract(const float* local, const float* global, std::size_t size, float* update) {
  for (std::size_t i = 0; i < size; ++i) update[i] = local[i] - global[i];
}

SOUK_MULTIVERSION void add_share(float share, const float* gradient, std::size_t size, float* total) {
  for (std::size_t i = 0; i < size; ++i) total[i] += share * gradient[i];
}

/// Of a pass. Names hold 16 bits of it: what is above goes into the seed, so that later passes repeat no earlier one.
std::uint64_t seed_of_pass(std::uint64_t seed, std::uint32_t pass) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;  // spreads small numbers over all bits
  return seed + odd * (pass >> 16U);
}

void shuffle_for_pass(const TrainingTurn& turn, std::uint32_t pass, std::span<const SampleIndex> mine,
                      std::vector<SampleIndex>& order) {
  order.assign(mine.begin(), mine.end());
  Stream(seed_of_pass(turn.seed, pass), streams::batch_order(turn.agent, turn.round, pass)).shuffle(order);
}

/// Early stopping counts passes.
void check_early_stopping(const scenario::Training& training) {
  SOUK_REQUIRE(!training.has_early_stopping() ||
                   (!training.has_local_steps() && training.algorithm() == scenario::Training::FED_AVG),
               "task.training.early_stopping: ends passes over the samples; take algorithm FED_AVG and local_epochs");
}

/// FED_SGD is one plain step: what has no meaning there must not be set.
void check_fed_sgd(const scenario::Training& training) {
  SOUK_REQUIRE(!training.has_local_steps() && training.local_epochs() == 1,
               "task.training.algorithm = FED_SGD: takes one step over all samples; local_steps, or local_epochs other "
               "than 1, must not be set");
  SOUK_REQUIRE((training.optimizer_case() == scenario::Training::OPTIMIZER_NOT_SET || training.has_sgd()) &&
                   training.sgd().momentum() == 0.0,
               "task.training.algorithm = FED_SGD: takes one step; its optimizer must be sgd without momentum");
}

/// What the noise of private steps would not cover, or what would say twice how gradients are shortened.
void check_private_steps(const scenario::Training& training) {
  SOUK_REQUIRE(training.algorithm() == scenario::Training::FED_AVG,
               "task.training.sample_privacy: makes steps private, and algorithm FED_SGD takes none; take FED_AVG with "
               "local_steps 1 and batch_size 0, which is the same");
  SOUK_REQUIRE(training.clip_norm() == 0.0,
               "task.training.clip_norm = {}: sample_privacy shortens every sample's gradient, and their noised sum as "
               "well says nothing more; set sample_privacy.clip",
               training.clip_norm());
}

}  // namespace

std::vector<SampleIndex> order_of_pass(const TrainingTurn& turn, std::uint32_t pass,
                                       std::span<const SampleIndex> mine) {
  std::vector<SampleIndex> order;
  shuffle_for_pass(turn, pass, mine, order);
  return order;
}

double Learner::descend(std::span<float>, const MiniBatch&, double, double) {
  SOUK_EXPECT(descends());  // and those who do, override this
  return 0.0;
}

double Learner::clipped_gradients(std::span<float>, const MiniBatch&, double, std::span<float>) {
  SOUK_EXPECT(false);  // who allows private steps overrides this
  return 0.0;
}

double Learner::validation_loss(std::span<const float>) {
  SOUK_EXPECT(false);  // who has validation data overrides this
  return 0.0;
}

struct LocalTrainer::State {
  /// One client's turn: what train was given.
  struct Turn {
    std::span<const float> global;
    std::span<const SampleIndex> mine;
    const BatchEdit& edit;
    const LocalContext& context;
    double learning_rate;
  };

  State(const scenario::Training& config, Learner& of)
      : training(config), learner(of), optimizer(config, of.layout().trainable()), local(of.layout().dimension()) {
    if (config.has_sample_privacy()) private_steps.emplace(config.sample_privacy());
  }

  std::size_t batch_size(const Turn& turn) const {
    const std::size_t all = turn.mine.size();
    return training.batch_size() == 0 ? all : std::min<std::size_t>(training.batch_size(), all);
  }

  std::span<float> parameters() { return {local.data(), learner.layout().dimension()}; }
  std::span<float> trainable() { return {local.data(), learner.layout().trainable()}; }

  static const Steering& steering(const Turn& turn) {
    static const Steering none;
    return turn.context.steering != nullptr ? *turn.context.steering : none;
  }

  void begin(const Turn& turn) {
    std::copy(turn.global.begin(), turn.global.end(), local.data());
    const auto start = steering(turn).start;
    for (std::size_t v = 0; v < start.size(); ++v) local.data()[v] += start[v];
    optimizer.restart();
    if (private_steps) private_steps->begin(turn.context.seed, turn.context.agent, turn.context.round);
  }

  MiniBatch batch_of(const Turn& turn, std::uint32_t pass, std::span<const SampleIndex> which, bool begins) const {
    return {.which = which,
            .edit = turn.edit,
            .agent = turn.context.agent,
            .round = turn.context.round,
            .seed = seed_of(turn, pass),
            .pass = pass & 0xFFFFU,
            .begins_pass = begins};
  }

  double step(const Turn& turn, const MiniBatch& batch) {
    const Steering& steered = steering(turn);
    const auto weight_decay = optimizer.plain_weight_decay();
    if (weight_decay && learner.descends() && !steered.before_step && !steered.after_step &&
        turn.context.slope.empty()) {
      return learner.descend(parameters(), batch, turn.learning_rate, *weight_decay);
    }
    const std::size_t size = learner.layout().trainable();
    gradient.reserve(size);
    const double loss = learner.gradient(parameters(), batch, {gradient.data(), size});
    follow(turn, {gradient.data(), size});
    return loss;
  }

  /// Takes the optimiser's step along a gradient of what the client's samples say.
  void follow(const Turn& turn, std::span<float> of_samples) {
    const Steering& steered = steering(turn);
    add_share(1.0F, turn.context.slope.data(), turn.context.slope.size(), of_samples.data());
    if (steered.before_step) steered.before_step(trainable(), of_samples);
    optimizer.step(trainable(), of_samples, turn.global.first(of_samples.size()), turn.learning_rate);
    if (steered.after_step) steered.after_step(trainable());
  }

  static std::uint64_t seed_of(const Turn& turn, std::uint32_t pass) { return seed_of_pass(turn.context.seed, pass); }

  LocalResult fed_avg(const Turn& turn) {
    const std::uint32_t epochs = steering(turn).epochs;
    const bool by_steps = training.has_local_steps() && epochs == 0;
    const std::uint64_t last_step = by_steps ? training.local_steps() : ~std::uint64_t{0};
    const std::uint32_t passes = by_steps ? ~std::uint32_t{0} : (epochs > 0 ? epochs : training.local_epochs());
    LocalResult result;
    Looks looks;
    for (std::uint32_t pass = 0; pass < passes && result.steps < last_step; ++pass) {
      result.loss = private_steps && !turn.context.unprotected ? private_pass(turn, pass, last_step, result)
                                                               : one_pass(turn, pass, last_step, result);
      if (training.has_early_stopping() && (pass + 1) % training.early_stopping().every() == 0 && look(looks)) break;
    }
    if (!looks.best.empty()) std::ranges::copy(looks.best, local.data());
    return result;
  }

  /// What validation has shown so far.
  struct Looks {
    double least = std::numeric_limits<double>::infinity();
    std::uint32_t worse = 0;  ///< looks since then
    std::vector<float> best;
  };
  /// One more; true: enough of them.
  bool look(Looks& looks) {
    const double loss = learner.validation_loss(parameters());
    if (loss < looks.least) {
      looks = {.least = loss, .worse = 0, .best = {parameters().begin(), parameters().end()}};
      return false;
    }
    return ++looks.worse >= training.early_stopping().patience();
  }

  /// Mini-batches of a fresh order until the samples or the steps are used up; the mean of their losses.
  double one_pass(const Turn& turn, std::uint32_t pass, std::uint64_t last_step, LocalResult& result) {
    shuffle_for_pass({turn.context.seed, turn.context.agent, turn.context.round}, pass, turn.mine, order);
    const std::uint64_t before = result.steps;
    const std::size_t size = batch_size(turn);
    double loss = 0.0;
    for (std::size_t first = 0; first < order.size() && result.steps < last_step; first += size) {
      const auto which = std::span(order).subspan(first, std::min(size, order.size() - first));
      loss += step(turn, batch_of(turn, pass, which, first == 0));
      ++result.steps;
      result.samples += which.size();
      if (turn.context.after_step) turn.context.after_step();
    }
    return loss / static_cast<double>(result.steps - before);
  }

  /// As many private steps as a pass has; the mean loss of the samples drawn.
  double private_pass(const Turn& turn, std::uint32_t pass, std::uint64_t last_step, LocalResult& result) {
    const std::size_t values = learner.layout().trainable(), all = turn.mine.size();
    const PrivateTraining plan = private_training(training, all);
    gradient.reserve(values);
    const std::span<float> sum(gradient.data(), values);
    double loss = 0.0;
    std::size_t drawn = 0;
    for (std::size_t first = 0; first < all && result.steps < last_step; first += plan.batch) {
      const auto which = private_steps->draw(turn.mine, plan.sampling);
      std::ranges::fill(sum, 0.0F);
      if (!which.empty()) {
        const MiniBatch batch = batch_of(turn, pass, which, drawn == 0);
        loss += learner.clipped_gradients(parameters(), batch, private_steps->clip(), sum);
      }
      drawn += which.size();
      private_steps->hide(sum, plan.batch);
      follow(turn, sum);
      ++result.steps;
      if (turn.context.after_step) turn.context.after_step();
    }
    return drawn > 0 ? loss / static_cast<double>(drawn) : 0.0;
  }

  /// One gradient over all samples, in parts of batch_size, added up in order.
  LocalResult fed_sgd(const Turn& turn) {
    const std::size_t values = learner.layout().trainable(), size = batch_size(turn);
    gradient.reserve(values);
    total_gradient.reserve(values);
    std::fill_n(total_gradient.data(), values, 0.0F);
    LocalResult result;
    for (std::size_t first = 0; first < turn.mine.size(); first += size) {
      const auto which = turn.mine.subspan(first, std::min(size, turn.mine.size() - first));
      const double share = static_cast<double>(which.size()) / static_cast<double>(turn.mine.size());
      const MiniBatch batch = batch_of(turn, 0, which, first == 0);
      result.loss += share * learner.gradient(parameters(), batch, {gradient.data(), values});
      add_share(static_cast<float>(share), gradient.data(), values, total_gradient.data());
      result.samples += which.size();
      if (turn.context.after_step) turn.context.after_step();
    }
    follow(turn, {total_gradient.data(), values});
    result.steps = 1;
    return result;
  }

  scenario::Training training;
  Learner& learner;
  Optimizer optimizer;
  std::optional<PrivateSteps> private_steps;
  FloatBuffer local, gradient, total_gradient;
  std::vector<SampleIndex> order;
};

LocalTrainer::LocalTrainer(const scenario::Training& training, Learner& learner)
    : state_(std::make_unique<State>(training, learner)) {
  if (training.algorithm() == scenario::Training::FED_SGD) check_fed_sgd(training);
  check_early_stopping(training);
  if (training.has_sample_privacy()) check_private_steps(training);
}

LocalTrainer::~LocalTrainer() = default;

LocalResult LocalTrainer::train(std::span<const float> global, std::span<const SampleIndex> mine, const BatchEdit& edit,
                                const LocalContext& context, std::span<float> update) {
  State& state = *state_;
  const std::size_t dimension = state.learner.layout().dimension();
  SOUK_EXPECT(global.size() == dimension && update.size() == dimension);
  if (mine.empty()) {
    std::fill(update.begin(), update.end(), 0.0F);
    if (context.steering != nullptr) std::ranges::copy(context.steering->start, update.begin());
    return {};
  }
  const State::Turn turn{.global = global,
                         .mine = mine,
                         .edit = edit,
                         .context = context,
                         .learning_rate = scheduled_learning_rate(state.training, context.round, context.rounds) *
                                          (context.steering != nullptr ? context.steering->rate_factor : 1.0)};
  state.begin(turn);
  LocalResult result =
      state.training.algorithm() == scenario::Training::FED_SGD ? state.fed_sgd(turn) : state.fed_avg(turn);
  subtract(state.local.data(), global.data(), dimension, update.data());
  result.samples = mine.size();
  return result;
}

}  // namespace souk
