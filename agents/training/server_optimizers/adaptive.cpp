#include <cmath>
#include <vector>

#include "agents/training/server_optimizers/server_optimizer.hpp"
#include "scenarios/learning.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Reddi et al., "Adaptive Federated Optimization", ICLR 2021, Algorithm 2: m = beta1 m + (1 - beta1) step,
/// w += learning_rate * m / (sqrt(v) + tau), without bias correction; v starts at tau^2. The three methods differ in v
/// alone.
template <class SecondMoment>
class Adaptive final : public ServerOptimizer {
 public:
  template <class Config>
  explicit Adaptive(const Config& config)
      : beta1_(static_cast<float>(config.beta1())), tau_(static_cast<float>(config.tau())), second_moment_(config) {}

  void apply(std::span<const float> step, float learning_rate, std::span<float> parameters) override {
    if (first_.empty()) {
      first_.assign(step.size(), 0.0F);
      second_.assign(step.size(), tau_ * tau_);
    }
    for (std::size_t i = 0; i < step.size(); ++i) {
      first_[i] = beta1_ * first_[i] + (1.0F - beta1_) * step[i];
      second_[i] = second_moment_(second_[i], step[i] * step[i]);
      parameters[i] += learning_rate * first_[i] / (std::sqrt(second_[i]) + tau_);
    }
  }
  std::size_t vectors() const override { return 2; }
  void serialize(Archive& archive) override {
    archive.field("server first moment", first_);
    archive.field("server second moment", second_);
  }

 private:
  float beta1_, tau_;
  SecondMoment second_moment_;
  std::vector<float> first_, second_;
};

struct AdamMoment {
  explicit AdamMoment(const scenario::FedAdam& config) : beta2(static_cast<float>(config.beta2())) {}
  float operator()(float v, float square) const { return beta2 * v + (1.0F - beta2) * square; }
  float beta2;
};

struct YogiMoment {
  explicit YogiMoment(const scenario::FedYogi& config) : beta2(static_cast<float>(config.beta2())) {}
  float operator()(float v, float square) const {
    const float sign = v > square ? 1.0F : (v < square ? -1.0F : 0.0F);
    return v - (1.0F - beta2) * square * sign;
  }
  float beta2;
};

struct AdagradMoment {
  explicit AdagradMoment(const scenario::FedAdagrad&) {}
  float operator()(float v, float square) const { return v + square; }
};

const Register<ServerOptimizer, Adaptive<AdamMoment>, scenario::FedAdam> adam;
const Register<ServerOptimizer, Adaptive<YogiMoment>, scenario::FedYogi> yogi;
const Register<ServerOptimizer, Adaptive<AdagradMoment>, scenario::FedAdagrad> adagrad;

}  // namespace
}  // namespace souk
