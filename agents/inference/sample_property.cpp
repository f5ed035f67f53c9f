#include "agents/inference/sample_property.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "agents/cast/feature_runs.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

constexpr const char* property_path = "inference.property";

std::size_t rounded_share(double share, std::size_t of) {
  return static_cast<std::size_t>(std::llround(share * static_cast<double>(of)));
}

std::vector<FeatureRun> runs_of(const scenario::SampleProperty& config, std::size_t features) {
  if (!config.has_mark()) return {};
  SOUK_REQUIRE(config.mark().set_size() > 0, "{}.mark.set: is empty, must say which features are set", property_path);
  std::vector<FeatureRun> runs;
  for (int i = 0; i < config.mark().set_size(); ++i) {
    runs.push_back(feature_run(config.mark().set(i), fmt::format("{}.mark.set[{}]", property_path, i), features));
  }
  return runs;
}

std::vector<TableCell> cells_of(const scenario::SampleProperty& config, const Dataset& train) {
  if (!config.has_column()) return {};
  const auto& [channels, height, width] = train.shape().sample_shape;
  SOUK_REQUIRE(height * width == 1, "{}.column: the data set holds images and no table", property_path);
  std::vector<TableCell> cells =
      table_cells(config.column(), train.shape().columns, channels, fmt::format("{}.column", property_path));
  const Scaling& scaling = train.scaling();
  for (TableCell& cell : cells) {
    cell.value = (cell.value - scaling.shift[cell.feature]) * scaling.scale[cell.feature];
  }
  return cells;
}

}  // namespace

SampleProperty::SampleProperty(const Federation& federation)
    : federation_(federation), config_(federation.scenario().inference().property()) {
  check();
  mark_ = runs_of(config_, federation.train().features());
  cells_ = cells_of(config_, federation.train_as_given());
  choose_holders();
}

void SampleProperty::check() const {
  const scenario::Scenario& scenario = federation_.scenario();
  const int classes = federation_.task().classes();
  SOUK_REQUIRE(federation_.task().rows() != nullptr && classes > 0,
               "{}: is of rows with classes, and the data set has none", property_path);
  SOUK_REQUIRE(!scenario.has_unlearning(), "{}: samples read otherwise than stored; leave out the section unlearning",
               property_path);
  SOUK_REQUIRE(!scenario.has_market(),
               "{}: sellers are known by the samples that they had at first; leave out the market", property_path);
  SOUK_REQUIRE(scenario.partition().iid().overlapping_samples() == 0,
               "{}: clients share samples, partition.iid.overlapping_samples, and would share the property",
               property_path);
  SOUK_REQUIRE(federation_.population().genuine() == federation_.population().clients(),
               "{}: fake identities share samples, and would share the property", property_path);
  SOUK_REQUIRE(!config_.has_of_class() || static_cast<std::int64_t>(config_.of_class().number()) < classes,
               "{}.of_class.number = {}: there are {} classes", property_path, config_.of_class().number(), classes);
  SOUK_REQUIRE(scenario.inference().auxiliary_per_class() > 0,
               "{}: attackers imitate it with samples of their own, and inference.auxiliary_per_class is 0",
               property_path);
}

std::size_t SampleProperty::kept(std::size_t held) const {
  const std::size_t usual = mark_.empty() ? held / 2 : held;
  return config_.samples() == 0 ? usual : std::min<std::size_t>(config_.samples(), held);
}

/// Whether a client holds as many samples with the property as it is to have.
bool SampleProperty::may_hold(AgentId client) const {
  if (!mark_.empty()) return true;
  const auto mine = federation_.deal_as_given().of(client.value);
  std::vector<float> features(federation_.train().features());
  std::size_t with = 0;
  for (const SampleIndex sample : mine) {
    federation_.train_as_given().copy_features(std::span(&sample, 1), features);
    with += has_by_itself(sample, features) ? 1 : 0;
  }
  return with >= rounded_share(config_.share(), kept(mine.size()));
}

void SampleProperty::choose_holders() {
  const std::size_t clients = federation_.population().clients();
  const std::size_t count = rounded_share(config_.clients(), clients);
  SOUK_REQUIRE(count > 0 && count < clients, "{}.clients = {}: of {} clients, {} would have the property",
               property_path, config_.clients(), clients, count);
  std::vector<std::uint32_t> order;
  for (std::uint32_t id = 0; id < clients; ++id) {
    if (may_hold({id})) order.push_back(id);
  }
  SOUK_REQUIRE(
      count <= order.size(),
      "{}.clients = {}: {} clients are to have the property, and only {} hold enough samples with it; deal more "
      "to a client, or lower share or samples",
      property_path, config_.clients(), count, order.size());
  Stream(federation_.scenario().seed(), streams::clients_with_property()).shuffle(order);
  for (std::size_t i = 0; i < count; ++i) holders_.push_back({order[i]});
  std::ranges::sort(holders_);
}

bool SampleProperty::has_by_itself(SampleIndex sample, std::span<const float> features) const {
  if (config_.has_column()) {
    return std::ranges::all_of(cells_, [&](const TableCell& cell) { return features[cell.feature] == cell.value; });
  }
  return federation_.train().labels()[sample] == static_cast<std::int32_t>(config_.of_class().number());
}

/// Of the client's samples in random order the first so many stay: of those who have the property the share, of the
/// others none with it. A mark is put on the first of them.
void SampleProperty::read_client(AgentId client, Readings& readings) const {
  const auto mine = federation_.deal_as_given().of(client.value);
  std::vector<SampleIndex> order(mine.begin(), mine.end());
  Stream(federation_.scenario().seed(), streams::samples_with_property(client)).shuffle(order);
  const bool marks = !mark_.empty(), holds = std::ranges::binary_search(holders_, client);
  std::size_t with = holds ? rounded_share(config_.share(), kept(order.size())) : 0;
  std::size_t without = kept(order.size()) - with;
  std::vector<float> features(federation_.train().features());
  for (const SampleIndex sample : order) {
    federation_.train_as_given().copy_features(std::span(&sample, 1), features);
    const bool has = marks ? with > 0 : has_by_itself(sample, features);
    std::size_t& left = has ? with : without;
    if (left == 0) {
      readings[sample].held_back = true;
      continue;
    }
    --left;
    if (marks && has) readings[sample].features = mark_;
  }
}

Readings SampleProperty::readings() const {
  Readings readings;
  for (std::uint32_t id = 0; id < federation_.population().clients(); ++id) read_client({id}, readings);
  return readings;
}

std::size_t SampleProperty::count(AgentId client) const {
  std::vector<float> features(federation_.train().features());
  std::size_t count = 0;
  for (const SampleIndex sample : federation_.validators().training_samples(client)) {
    if (!mark_.empty()) {
      const auto found = federation_.forgotten().readings.find(sample);
      count += found != federation_.forgotten().readings.end() && found->second.features == mark_ ? 1 : 0;
      continue;
    }
    federation_.train().copy_features(std::span(&sample, 1), features);
    count += has_by_itself(sample, features) ? 1 : 0;
  }
  return count;
}

KnownProperty SampleProperty::known_of(std::span<const float> features, std::span<const std::int32_t> labels) {
  const std::size_t width = federation_.train().features();
  const auto put = [&](std::size_t i, std::vector<float>& table, std::vector<std::int32_t>& classes) {
    const auto row = features.subspan(i * width, width);
    table.insert(table.end(), row.begin(), row.end());
    classes.push_back(labels[i]);
  };
  const auto own = federation_.auxiliary();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = features.subspan(i * width, width);
    const bool has = mark_.empty() && has_by_itself(own[i], row);
    if (!mark_.empty() || has) put(i, with_, labels_with_);
    if (!has) put(i, without_, labels_without_);
    for (const FeatureRun& run : mark_) {
      const std::size_t first = with_.size() - width + run.first;
      std::fill_n(with_.begin() + static_cast<std::ptrdiff_t>(first), run.count, run.value);
    }
  }
  SOUK_REQUIRE(!labels_with_.empty() && !labels_without_.empty(),
               "{}: of the attackers' own samples {} have it and {} have not, and both are needed; raise "
               "inference.auxiliary_per_class",
               property_path, labels_with_.size(), labels_without_.size());
  return {.with = {.features = with_, .labels = labels_with_},
          .without = {.features = without_, .labels = labels_without_},
          .clients = config_.clients(),
          .share = config_.share()};
}

}  // namespace souk
