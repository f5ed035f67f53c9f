#include "agents/unlearning/data_changes.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "agents/cast/feature_runs.hpp"
#include "agents/unlearning/drawing.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

using Change = scenario::DataChange;

/// A class that is not the sample's own, the same whenever it is asked for.
std::int32_t wrong_label(const Federation& federation, SampleIndex sample) {
  const Dataset& stored = federation.train_as_given();
  Stream random(federation.scenario().seed(), streams::another_label(sample));
  const auto other = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(stored.classes() - 1)));
  return other < stored.labels()[sample] ? other : other + 1;
}

Reading changed(const Reading& now, const Change& change, const Federation& federation, SampleIndex sample) {
  Reading reading = now;
  switch (change.how_case()) {
    case Change::kLabel:
      reading.label = static_cast<std::int32_t>(change.label().of_class());
      break;
    case Change::kAnotherLabel:
      reading.label = wrong_label(federation, sample);
      break;
    case Change::kFeatures:
      reading.features.push_back(feature_run(change.features(), "features", federation.train().features()));
      break;
    case Change::kWeight:
      reading.weight = change.weight().weight();
      break;
    case Change::kHeldBack:
      reading.held_back = true;
      break;
    default:
      return {};
  }
  const auto stored = federation.train_as_given().labels();
  if (reading.label && *reading.label == stored[sample]) reading.label.reset();
  return reading;
}

}  // namespace

std::vector<SampleIndex> samples_meeting(const scenario::ForgetSamples& conditions, const Population& population,
                                         const Deal& deal, std::span<const std::int32_t> labels, Stream& random) {
  std::vector<SampleIndex> samples;
  for (std::uint32_t id = 0; id < population.clients(); ++id) {
    if (conditions.of_client() >= 0 && conditions.of_client() != static_cast<std::int64_t>(id)) continue;
    if (conditions.of_group() >= 0 && conditions.of_group() != population.group_of({id})) continue;
    for (const SampleIndex sample : deal.of(id)) {
      if (conditions.of_class() < 0 || labels[sample] == conditions.of_class()) samples.push_back(sample);
    }
  }
  std::ranges::sort(samples);
  samples.erase(std::ranges::unique(samples).begin(), samples.end());
  const auto count = static_cast<std::size_t>(std::llround(conditions.share() * static_cast<double>(samples.size())));
  return drawn(std::move(samples), count, random);
}

void check_samples(const scenario::ForgetSamples& conditions, const std::string& path, const Federation& federation) {
  const auto all = static_cast<std::int64_t>(federation.population().clients());
  const int groups = federation.scenario().attacks_size(), classes = federation.task().classes();
  SOUK_REQUIRE(conditions.of_client() < all, "{}.of_client = {}: there are {} clients", path, conditions.of_client(),
               all);
  SOUK_REQUIRE(conditions.of_group() < groups, "{}: names the attacker group {}, and there are {}", path,
               conditions.of_group(), groups);
  SOUK_REQUIRE(conditions.of_class() < 0 || classes > 0, "{}.of_class: the data set has numbers to predict", path);
  SOUK_REQUIRE(conditions.of_class() < std::max(classes, 1), "{}.of_class = {}: there are {} classes", path,
               conditions.of_class(), classes);
}

void check_change(const Change& change, const std::string& path, const Federation& federation, bool at_first) {
  check_samples(change.of(), path + ".of", federation);
  SOUK_REQUIRE(change.how_case() != Change::HOW_NOT_SET, "{}: does not say how the samples read", path);
  SOUK_REQUIRE(at_first || !change.has_held_back(),
               "{}.held_back: holds for the first round on; a request to forget samples is `samples`", path);
  SOUK_REQUIRE(!at_first || !change.has_as_stored(), "{}.as_stored: is how samples read at first", path);
  const int classes = federation.task().classes();
  const bool labels = change.has_label() || change.has_another_label(), rows = federation.task().rows() != nullptr;
  SOUK_REQUIRE(!labels || classes > 0, "{}: names classes, and the data set has numbers to predict", path);
  SOUK_REQUIRE(!change.has_label() || static_cast<std::int64_t>(change.label().of_class()) < classes,
               "{}.label.of_class = {}: there are {} classes", path, change.label().of_class(), classes);
  SOUK_REQUIRE(rows || !(change.has_features() || change.has_weight()),
               "{}: features and weights are of rows, and the samples of the data set are nodes of a graph", path);
  SOUK_REQUIRE(!change.has_weight() || !federation.scenario().task().objective().has_channel_correlation(),
               "{}.weight: channel_correlation is of mini-batches as a whole, which have no weights", path);
  if (change.has_features()) feature_run(change.features(), path + ".features", federation.train().features());
  SOUK_REQUIRE(!federation.scenario().has_market(),
               "{}: sellers are known by the samples that they had at first; leave out the market", path);
}

Readings readings_after(const Change& change, const Federation& federation, Stream& random) {
  const Forgotten& now = federation.forgotten();
  const auto stored = federation.train_as_given().labels();
  scenario::ForgetSamples conditions = change.of();
  Readings readings;
  if (!change.has_as_stored()) {
    const auto labels = federation.task().labels();
    for (const SampleIndex sample :
         samples_meeting(conditions, federation.population(), federation.dealt().deal, labels, random)) {
      const auto found = now.readings.find(sample);
      const Reading before = found == now.readings.end() ? Reading{} : found->second;
      const Reading after = changed(before, change, federation, sample);
      if (!(after == before)) readings[sample] = after;
    }
    return readings;
  }
  conditions.set_share(1.0);
  std::vector<SampleIndex> wrong;
  for (const SampleIndex sample :
       samples_meeting(conditions, federation.population(), federation.deal_as_given(), stored, random)) {
    if (now.readings.contains(sample) && !std::ranges::binary_search(now.units, sample)) wrong.push_back(sample);
  }
  const auto count = static_cast<std::size_t>(std::llround(change.of().share() * static_cast<double>(wrong.size())));
  for (const SampleIndex sample : drawn(std::move(wrong), count, random)) readings[sample] = {};
  return readings;
}

void read_at_first(Federation& federation) {
  const scenario::Scenario& scenario = federation.scenario();
  for (int i = 0; i < scenario.unlearning().at_first_size(); ++i) {
    const Change& change = scenario.unlearning().at_first(i);
    check_change(change, fmt::format("unlearning.at_first[{}]", i), federation, true);
    Stream random(scenario.seed(), streams::data_at_first(static_cast<std::size_t>(i)));
    federation.forget(
        {.clients = {}, .units = {}, .graph = {}, .readings = readings_after(change, federation, random)});
  }
}

}  // namespace souk
