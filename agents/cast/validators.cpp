#include "agents/cast/validators.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "agents/cast/root_data.hpp"
#include "scenarios/participants.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {

Validators::Validators(const scenario::Validators& config, bool holding_out, const Deal& deal, const Task& task,
                       std::uint64_t seed)
    : holdout_(holding_out ? config.holdout() : 0.0),
      per_round_(config.per_round()),
      min_samples_(config.min_samples()),
      max_samples_(config.max_samples()),
      deal_(deal),
      task_(task),
      seed_(seed) {
  SOUK_REQUIRE(per_round_ <= deal.agents(), "validators.per_round = {}: there are {} clients", per_round_,
               deal.agents());
}

void Validators::check() const {
  std::size_t most = 0;
  for (std::uint32_t client = 0; client < deal_.agents(); ++client) {
    std::vector<std::size_t> counts(static_cast<std::size_t>(task_.classes()), 0);
    for (const SampleIndex sample : held_out(AgentId{client})) {
      most = std::max(most, ++counts[static_cast<std::size_t>(task_.labels()[sample])]);
    }
    if (most > min_samples_) return;
  }
  throw_input_error(
      "validators.min_samples = {}: no client holds out more samples of any class (the most is {}), so nothing could "
      "be judged; lower it, or give the clients more data",
      min_samples_, most);
}

std::size_t Validators::held_out_count(std::size_t held) const {
  return static_cast<std::size_t>(holdout_ * static_cast<double>(held));
}

/// A client's samples in the order of its own shuffle: those held out first.
std::vector<SampleIndex> Validators::shuffled(AgentId client) const {
  const auto own = deal_.of(client.value);
  std::vector<SampleIndex> samples(own.begin(), own.end());
  Stream(seed_, streams::held_out(client)).shuffle(samples);
  return samples;
}

std::size_t Validators::training_count(AgentId client) const {
  const std::size_t held = deal_.of(client.value).size();
  return held - held_out_count(held);
}

std::vector<SampleIndex> Validators::training_samples(AgentId client) const {
  if (holdout_ == 0.0) {
    const auto own = deal_.of(client.value);
    return {own.begin(), own.end()};
  }
  std::vector<SampleIndex> samples = shuffled(client);
  samples.erase(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(held_out_count(samples.size())));
  std::sort(samples.begin(), samples.end());
  return samples;
}

std::vector<AgentId> Validators::of_round(RoundIndex round, std::span<const AgentId> clients) const {
  if (per_round_ == 0) return {clients.begin(), clients.end()};
  std::vector<std::uint32_t> everyone(deal_.agents());
  std::iota(everyone.begin(), everyone.end(), 0U);
  Stream(seed_, streams::validators(round)).shuffle(everyone);
  std::vector<AgentId> drawn;
  for (std::size_t v = 0; v < per_round_; ++v) drawn.push_back({everyone[v]});
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

std::vector<SampleIndex> Validators::held_out(AgentId client) const {
  std::vector<SampleIndex> held = shuffled(client);
  held.resize(held_out_count(held.size()));
  std::sort(held.begin(), held.end());
  return held;
}

/// At most max_samples of each class of which the validator holds out more than min_samples, drawn for the round.
std::vector<SampleIndex> Validators::samples_of_round(AgentId validator, RoundIndex round) const {
  std::vector<std::vector<SampleIndex>> by_class(static_cast<std::size_t>(task_.classes()));
  for (const SampleIndex sample : held_out(validator))
    by_class[static_cast<std::size_t>(task_.labels()[sample])].push_back(sample);
  Stream random(seed_, streams::validation_samples(validator, round));
  std::vector<SampleIndex> used;
  for (auto& samples : by_class) {
    if (samples.size() <= min_samples_) continue;
    random.shuffle(samples);
    samples.resize(std::min(samples.size(), max_samples_));
    used.insert(used.end(), samples.begin(), samples.end());
  }
  return used;
}

std::vector<double> Validators::class_shares_used(RoundIndex round, std::span<const AgentId> clients) const {
  std::vector<SampleIndex> used;
  for (const AgentId validator : of_round(round, clients)) {
    const std::vector<SampleIndex> own = samples_of_round(validator, round);
    used.insert(used.end(), own.begin(), own.end());
  }
  if (used.empty()) return {};
  return class_shares(used, task_.labels(), task_.classes());
}

std::size_t Validators::samples_used(AgentId validator, RoundIndex round) const {
  return samples_of_round(validator, round).size();
}

std::vector<double> Validators::class_losses(AgentId validator, RoundIndex round, Task& task,
                                             std::span<const float> parameters) const {
  const auto classes = static_cast<std::size_t>(task_.classes());
  const std::vector<SampleIndex> used = samples_of_round(validator, round);
  std::vector<double> losses(classes, std::numeric_limits<double>::quiet_NaN());
  if (used.empty()) return losses;
  std::vector<double> sums(task.tally_size());
  task.tally(parameters, Split::train, used, sums);
  const std::vector<double> of_class = task.scores(sums).loss_of_class;
  for (const SampleIndex sample : used) {
    const auto c = static_cast<std::size_t>(task.labels()[sample]);
    losses[c] = std::isfinite(of_class[c]) ? of_class[c] : std::numeric_limits<float>::max();  // NaN: not judged
  }
  return losses;
}

}  // namespace souk
