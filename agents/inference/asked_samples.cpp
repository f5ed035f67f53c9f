#include "agents/inference/asked_samples.hpp"

#include <algorithm>
#include <numeric>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// So many of them, in random order.
std::vector<SampleIndex> some_of(std::span<const SampleIndex> samples, std::size_t count, Stream& random) {
  std::vector<std::uint32_t> drawn(samples.begin(), samples.end());
  random.shuffle(drawn);
  drawn.resize(std::min(drawn.size(), count));
  return {drawn.begin(), drawn.end()};
}

void append(const Dataset& data, std::span<const SampleIndex> samples, std::uint8_t is_member, AskedSamples& asked) {
  const std::size_t before = asked.features.size();
  asked.features.resize(before + samples.size() * data.features());
  data.copy_features(samples, std::span(asked.features).subspan(before));
  for (const SampleIndex sample : samples) {
    asked.labels.push_back(data.labels()[sample]);
    asked.is_member.push_back(is_member);
  }
}

/// Members stand in front, which would tell them.
AskedSamples shuffled(const AskedSamples& asked, Stream& random) {
  const std::size_t n = asked.labels.size(), width = n == 0 ? 0 : asked.features.size() / n;
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  AskedSamples mixed;
  for (const std::uint32_t i : order) {
    const auto row = std::span(asked.features).subspan(i * width, width);
    mixed.features.insert(mixed.features.end(), row.begin(), row.end());
    mixed.labels.push_back(asked.labels[i]);
    mixed.is_member.push_back(asked.is_member[i]);
  }
  return mixed;
}

/// The client that has most of what is counted; of equal ones the first.
std::size_t largest(std::span<const std::size_t> counts) {
  return static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin());
}

}  // namespace

AskedSamples asked_samples(const Federation& federation, AgentId victim, std::span<const SampleIndex> mine,
                           std::size_t count, bool with_others, RoundIndex round) {
  const Dataset& test = federation.test();
  Stream random(federation.scenario().seed(), streams::asked_samples(victim, round));
  AskedSamples asked;
  const std::vector<SampleIndex> members = some_of(mine, count == 0 ? mine.size() : count, random);
  append(federation.train(), members, 1, asked);
  if (with_others) {
    std::vector<SampleIndex> all(test.size());
    std::iota(all.begin(), all.end(), SampleIndex{0});
    append(test, some_of(all, members.size(), random), 0, asked);
  }
  return shuffled(asked, random);
}

SourceScore source_score(const ClaimedSources& claim, const AskedSamples& asked, std::span<const AgentId> clients,
                         AgentId victim, const Federation& federation) {
  SOUK_EXPECT(claim.sources.size() == asked.labels.size());
  const auto place = static_cast<std::size_t>(std::ranges::find(clients, victim) - clients.begin());
  const auto classes = static_cast<std::size_t>(federation.task().classes());
  std::vector<std::size_t> sizes;
  std::vector<std::vector<std::size_t>> of_class(classes, std::vector<std::size_t>(clients.size()));
  for (std::size_t k = 0; k < clients.size(); ++k) {
    const std::vector<SampleIndex> held = federation.validators().training_samples(clients[k]);
    sizes.push_back(held.size());
    for (const SampleIndex sample : held) {
      ++of_class[static_cast<std::size_t>(federation.train().labels()[sample])][k];
    }
  }
  std::size_t right = 0, by_class = 0;
  for (std::size_t i = 0; i < asked.labels.size(); ++i) {
    right += claim.sources[i] == place ? 1 : 0;
    by_class += largest(of_class[static_cast<std::size_t>(asked.labels[i])]) == place ? 1 : 0;
  }
  const auto all = static_cast<double>(asked.labels.size());
  return {.right = static_cast<double>(right) / all,
          .by_size = largest(sizes) == place ? 1.0 : 0.0,
          .by_class = static_cast<double>(by_class) / all};
}

void record_sources(const std::string& name, std::span<const SourceScore> victims, RoundRecord& record) {
  if (victims.empty()) return;
  SourceScore sum;
  for (const SourceScore& victim : victims) {
    sum.right += victim.right;
    sum.by_size += victim.by_size;
    sum.by_class += victim.by_class;
  }
  const auto count = static_cast<double>(victims.size());
  const std::string prefix = "inference." + name + ".source_";
  record.add(prefix + "accuracy", sum.right / count);
  record.add(prefix + "by_size", sum.by_size / count);
  record.add(prefix + "by_class", sum.by_class / count);
}

}  // namespace souk
