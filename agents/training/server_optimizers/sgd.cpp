#include <vector>

#include "agents/training/server_optimizers/server_optimizer.hpp"
#include "scenarios/learning.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

SOUK_MULTIVERSION void add_scaled(const float* step, float scale, float* parameters, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) parameters[i] += scale * step[i];
}

SOUK_MULTIVERSION void add_to_decayed(const float* step, float momentum, float* velocity, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) velocity[i] = momentum * velocity[i] + step[i];
}

/// w += learning_rate * v, with v = momentum * v + step. Without momentum and at learning rate 1 this is FedAvg.
class ServerSgd final : public ServerOptimizer {
 public:
  explicit ServerSgd(const scenario::ServerSgd& config) : momentum_(static_cast<float>(config.momentum())) {}

  void apply(std::span<const float> step, float learning_rate, std::span<float> parameters) override {
    if (momentum_ == 0.0F) return add_scaled(step.data(), learning_rate, parameters.data(), parameters.size());
    velocity_.resize(step.size());
    add_to_decayed(step.data(), momentum_, velocity_.data(), velocity_.size());
    add_scaled(velocity_.data(), learning_rate, parameters.data(), parameters.size());
  }
  std::size_t vectors() const override { return momentum_ == 0.0F ? 0 : 1; }
  void serialize(Archive& archive) override { archive.field("server velocity", velocity_); }

 private:
  float momentum_;
  std::vector<float> velocity_;
};

const Register<ServerOptimizer, ServerSgd, scenario::ServerSgd> register_server_sgd;

}  // namespace
}  // namespace souk
