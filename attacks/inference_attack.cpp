#include "attacks/inference_attack.hpp"

#include <algorithm>
#include <numeric>

#include "scenarios/inference.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {

std::size_t LocalTraining::steps(std::size_t samples) const {
  const std::size_t batch = batch_size == 0 ? samples : std::min(batch_size, samples);
  return passes * ((samples + batch - 1) / batch);
}

Stream PublicCase::draws() const {
  return Stream(access_.seed, streams::attempt(access_.members.front().client, access_.attempt));
}

std::size_t KnowsTraining::samples_of_all() const {
  std::size_t sum = 0;
  for (const Member& member : access_.members) sum += member.samples;
  return sum;
}

std::vector<BatchPlaces> KnowsTraining::guessed_batches(std::size_t number) const {
  const Member& member = access_.members[number];
  const LocalTraining& training = *access_.training;
  const std::size_t batch = training.batch_size == 0 ? member.samples : std::min(training.batch_size, member.samples);
  std::vector<BatchPlaces> batches;
  for (std::uint32_t pass = 0; pass < training.passes; ++pass) {
    BatchPlaces order(member.samples);
    std::iota(order.begin(), order.end(), 0U);
    Stream(access_.seed, streams::guessed_order(member.client, access_.attempt, pass)).shuffle(order);
    for (std::size_t first = 0; first < order.size(); first += batch) {
      const std::size_t last = std::min(first + batch, order.size());
      batches.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(first),
                           order.begin() + static_cast<std::ptrdiff_t>(last));
    }
  }
  return batches;
}

std::unique_ptr<InferenceAttack> make_inference_attack(const scenario::InferenceAttack& config) {
  return PluginRegistry<InferenceAttack>::instance().create(config, "attack");
}

}  // namespace souk
