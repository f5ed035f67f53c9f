#include "sim/learn/private_steps.hpp"

#include <algorithm>

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/normal_values.hpp"

namespace souk {

PrivateTraining private_training(const scenario::Training& training, std::size_t samples) {
  SOUK_EXPECT(samples > 0);
  const std::size_t batch =
      training.batch_size() == 0 ? samples : std::min<std::size_t>(training.batch_size(), samples);
  const std::uint64_t of_pass = (samples + batch - 1) / batch;
  return {.batch = batch,
          .sampling = static_cast<double>(batch) / static_cast<double>(samples),
          .steps = training.has_local_steps() ? training.local_steps() : training.local_epochs() * of_pass};
}

PrivateSteps::PrivateSteps(const scenario::SamplePrivacy& config)
    : clip_(config.clip()), noise_(config.noise_multiplier()) {}

void PrivateSteps::begin(std::uint64_t seed, AgentId client, RoundIndex round) {
  seed_ = seed;
  client_ = client;
  round_ = round;
  steps_ = 0;
  inclusions_.emplace(seed, streams::private_batches(client, round));
}

std::span<const SampleIndex> PrivateSteps::draw(std::span<const SampleIndex> mine, double sampling) {
  batch_.clear();
  for (const SampleIndex sample : mine) {
    if (inclusions_->uniform() < sampling) batch_.push_back(sample);
  }
  return batch_;
}

void PrivateSteps::hide(std::span<float> sum, std::size_t expected) {
  const std::uint64_t first = steps_++ * (sum.size() + sum.size() % 2);
  add_normal_values(sum, noise_ * clip_, seed_, streams::noise_of_gradients(client_, round_), first);
  const double share = 1.0 / static_cast<double>(expected);
  for (float& value : sum) value = static_cast<float>(share * static_cast<double>(value));
}

}  // namespace souk
