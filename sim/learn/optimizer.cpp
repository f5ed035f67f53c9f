#include "sim/learn/optimizer.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"

namespace souk {
namespace {

/// What a step reads. d(i) = scale * (gradient + mu (w - anchor)) + decay * w.
struct Direction {
  const float* gradient;
  const float* anchor;
  float scale, mu, decay;
  [[gnu::always_inline]] float operator()(std::size_t i, float w) const {
    return scale * (gradient[i] + mu * (w - anchor[i])) + decay * w;
  }
};

struct SgdRule {
  float rate, momentum;
  bool nesterov, first_step;
};

struct AdamRule {
  float beta1, beta2, epsilon;
  float share1, share2;  ///< 1 - beta, rounded once
  float shrink;          ///< AdamW: 1 - rate * weight decay; Adam: 1
  float step_size;       ///< rate / (1 - beta1^t)
  float correction;      ///< sqrt(1 - beta2^t)
};

SOUK_MULTIVERSION void sgd_step(float* w, std::size_t size, Direction direction, float rate) {
  for (std::size_t i = 0; i < size; ++i) w[i] -= rate * direction(i, w[i]);
}

/// torch.optim.SGD: the buffer starts as the first gradient.
SOUK_MULTIVERSION void momentum_step(float* w, float* buffer, std::size_t size, Direction direction, SgdRule rule) {
  const float keep = rule.first_step ? 0.0F : rule.momentum;
  if (rule.nesterov) {
    for (std::size_t i = 0; i < size; ++i) {
      const float d = direction(i, w[i]);
      buffer[i] = keep * buffer[i] + d;
      w[i] -= rule.rate * (d + rule.momentum * buffer[i]);
    }
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      buffer[i] = keep * buffer[i] + direction(i, w[i]);
      w[i] -= rule.rate * buffer[i];
    }
  }
}

/// torch.optim.Adam and AdamW. 4 arrays read, 3 written; one more read for FedProx.
SOUK_MULTIVERSION void adam_step(float* w, float* first, float* second, std::size_t size, Direction direction,
                                 AdamRule rule) {
  for (std::size_t i = 0; i < size; ++i) {
    const float d = direction(i, w[i]);
    first[i] = rule.beta1 * first[i] + rule.share1 * d;
    second[i] = rule.beta2 * second[i] + rule.share2 * d * d;
    w[i] = rule.shrink * w[i] - rule.step_size * first[i] / (std::sqrt(second[i]) / rule.correction + rule.epsilon);
  }
}

SOUK_MULTIVERSION double squared_norm(const float* gradient, const float* w, const float* anchor, float mu,
                                      std::size_t size) {
  constexpr std::size_t lanes = 16;
  double partial[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const auto d = static_cast<double>(gradient[i + lane] + mu * (w[i + lane] - anchor[i + lane]));
      partial[lane] += d * d;
    }
  }
  for (std::size_t lane = 0; i < size; ++i, ++lane) {
    const auto d = static_cast<double>(gradient[i] + mu * (w[i] - anchor[i]));
    partial[lane] += d * d;
  }
  double total = 0.0;
  for (const double value : partial) total += value;
  return total;
}

}  // namespace

double weight_decay_of_loss(const scenario::Training& training) {
  return training.has_adam()  ? training.adam().weight_decay()
         : training.has_sgd() ? training.sgd().weight_decay()
                              : 0.0;
}

double proximal_norm(std::span<const float> gradient, std::span<const float> parameters, std::span<const float> anchor,
                     float mu) {
  return std::sqrt(squared_norm(gradient.data(), parameters.data(), anchor.data(), mu, gradient.size()));
}

Optimizer::Settings Optimizer::settings_of(const scenario::Training& training) {
  Settings settings{.proximal_mu = training.proximal_mu(), .clip_norm = training.clip_norm()};
  const auto take_adam = [&](const auto& adam, Kind kind) {
    settings.kind = kind;
    settings.beta1 = adam.beta1();
    settings.beta2 = adam.beta2();
    settings.epsilon = adam.epsilon();
    settings.weight_decay = adam.weight_decay();
  };
  switch (training.optimizer_case()) {
    case scenario::Training::kAdam:
      take_adam(training.adam(), Kind::adam);
      break;
    case scenario::Training::kAdamw:
      take_adam(training.adamw(), Kind::adamw);
      break;
    default:
      settings.momentum = training.sgd().momentum();
      settings.nesterov = training.sgd().nesterov();
      settings.weight_decay = training.sgd().weight_decay();
      SOUK_REQUIRE(!settings.nesterov || settings.momentum > 0.0,
                   "training.sgd: nesterov = true needs momentum > 0, which is {}", settings.momentum);
  }
  return settings;
}

Optimizer::Optimizer(const scenario::Training& training, std::size_t trainable)
    : settings_(settings_of(training)), trainable_(trainable) {
  if (settings_.kind != Kind::sgd || settings_.momentum > 0.0) first_.reserve(trainable);
  if (settings_.kind != Kind::sgd) second_.reserve(trainable);
}

void Optimizer::restart() {
  steps_ = 0;
  if (first_.size() > 0) std::fill_n(first_.data(), trainable_, 0.0F);
  if (second_.size() > 0) std::fill_n(second_.data(), trainable_, 0.0F);
}

std::optional<double> Optimizer::plain_weight_decay() const {
  const bool plain = settings_.kind == Kind::sgd && settings_.momentum == 0.0 && settings_.proximal_mu == 0.0 &&
                     settings_.clip_norm == 0.0;
  return plain ? std::optional(settings_.weight_decay) : std::nullopt;
}

void Optimizer::step(std::span<float> parameters, std::span<const float> gradient, std::span<const float> anchor,
                     double learning_rate) {
  SOUK_EXPECT(parameters.size() == trainable_ && gradient.size() == trainable_ && anchor.size() == trainable_);
  ++steps_;
  const auto mu = static_cast<float>(settings_.proximal_mu);
  // Without FedProx the anchor does not count: then the loops read the gradient twice, not one more array.
  if (settings_.proximal_mu == 0.0) anchor = gradient;
  const double norm = settings_.clip_norm > 0.0 ? proximal_norm(gradient, parameters, anchor, mu) : 0.0;
  const double scale = norm > settings_.clip_norm ? settings_.clip_norm / norm : 1.0;
  const bool decoupled = settings_.kind == Kind::adamw;
  const Direction direction{.gradient = gradient.data(),
                            .anchor = anchor.data(),
                            .scale = static_cast<float>(scale),
                            .mu = mu,
                            .decay = decoupled ? 0.0F : static_cast<float>(settings_.weight_decay)};
  const auto rate = static_cast<float>(learning_rate);
  if (settings_.kind != Kind::sgd) {
    const auto t = static_cast<double>(steps_);
    adam_step(parameters.data(), first_.data(), second_.data(), trainable_, direction,
              {.beta1 = static_cast<float>(settings_.beta1),
               .beta2 = static_cast<float>(settings_.beta2),
               .epsilon = static_cast<float>(settings_.epsilon),
               .share1 = static_cast<float>(1.0 - settings_.beta1),
               .share2 = static_cast<float>(1.0 - settings_.beta2),
               .shrink = decoupled ? static_cast<float>(1.0 - learning_rate * settings_.weight_decay) : 1.0F,
               .step_size = static_cast<float>(learning_rate / (1.0 - std::pow(settings_.beta1, t))),
               .correction = static_cast<float>(std::sqrt(1.0 - std::pow(settings_.beta2, t)))});
  } else if (settings_.momentum > 0.0) {
    momentum_step(parameters.data(), first_.data(), trainable_, direction,
                  {.rate = rate,
                   .momentum = static_cast<float>(settings_.momentum),
                   .nesterov = settings_.nesterov,
                   .first_step = steps_ == 1});
  } else {
    sgd_step(parameters.data(), trainable_, direction, rate);
  }
}

}  // namespace souk
