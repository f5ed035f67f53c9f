#include "agents/training/learning.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {

namespace {

/// Who puts this owner's part of a round into the round's record; null for the first owner, whose it is.
const ServerHooks* merger_of(const Owner& owner, std::size_t index, const std::vector<ServerHooks*>& hooks) {
  if (index == 0) return nullptr;
  const auto bringing = std::ranges::count_if(hooks, &ServerHooks::brings_owner);
  SOUK_REQUIRE(bringing == 1, "the owner '{}' of a model is brought by {} sections of the scenario, not by one",
               owner.name, bringing);
  return *std::ranges::find_if(hooks, &ServerHooks::brings_owner);
}

}  // namespace

Learning::Learning(const World& world, const std::vector<std::unique_ptr<Stage>>& others)
    : scenario_(world.scenario), owners_(world.owners), stops_(world.owners.size()) {
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    std::vector<ServerHooks*> hooks;
    for (const std::unique_ptr<Stage>& stage : others) {
      if (ServerHooks* some = stage->hooks(i)) hooks.push_back(some);
    }
    mergers_.push_back(merger_of(owners_[i], i, hooks));
    models_.push_back(with_owner_path(
        i, [&] { return std::make_unique<ModelServer>(world.comm, world.federation, owners_[i], i, hooks); }));
  }
}

void Learning::set_up(SetUpRecord& record) const {
  for (const std::string& remark : models_.front()->remarks_on_attacks()) {
    record.events.push_back({"odd trigger", -1, remark});
  }
  for (const std::string& idle : models_.front()->idle_attackers()) record.events.push_back({"idle attack", -1, idle});
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    const std::string prefix = i == 0 ? "" : "buyer." + owners_[i].name + ".";
    if (models_[i]->needs().tolerated_f) {
      record.metrics.push_back({prefix + "tolerated_f", static_cast<double>(models_[i]->tolerated_f())});
    }
    const RootSamples& root = models_[i]->federation().root(i);
    if (!root.empty()) record.metrics.push_back({prefix + "root_samples", static_cast<double>(root.size())});
  }
}

void Learning::run(RoundIndex round, bool last, Phases& phases, RoundRecord& record) {
  std::vector<std::size_t> untested;  // whoever was done before, where no test is due
  for (std::size_t i = 0; i < models_.size(); ++i) {
    if (is_over(i) && !tests_are_due(round, last)) untested.push_back(i);
    into_record_of(i, record, [&](RoundRecord& own) { run_model(i, round, last, phases, own); });
  }
  record.stop.reset();
  if (std::ranges::any_of(stops_, [](const auto& stop) { return !stop; })) return;
  // The last round of the whole run has everybody's numbers.
  for (const std::size_t i : untested) {
    into_record_of(i, record, [&](RoundRecord& own) { models_[i]->evaluate(last, phases, own); });
  }
  record.stop = stops_.front();  // a run is what became of its first model; the events say what became of the others
}

bool Learning::tests_are_due(RoundIndex round, bool last) const {
  return last || round.value % scenario_.evaluation().every() == 0;
}

/// One owner's round. Whoever is done is tested all the same, as often as the others; what does not change any more
/// ends nothing.
void Learning::run_model(std::size_t index, RoundIndex round, bool last, Phases& phases, RoundRecord& record) {
  // Models of clusters are trained elsewhere, and this one is their mean.
  const bool works = !is_over(index) && round.value <= scenario_.training_rounds() && !scenario_.has_clusters();
  if (works) models_[index]->run_round(round, phases, record);
  if (tests_are_due(round, last) || record.stop) models_[index]->evaluate(last, phases, record);
  if (!works || !record.stop) return;
  stops_[index] = record.stop;
  if (models_.size() > 1) {
    record.events.push_back(
        {"stopped", owners_[index].account, fmt::format("the buyer is done: {}", to_string(*record.stop))});
  }
}

/// Lets `work` write one owner's part of a round: the first owner's is the round's record, another's goes into it.
template <class Work>
void Learning::into_record_of(std::size_t index, RoundRecord& record, Work work) const {
  if (index == 0) return work(record);
  RoundRecord own;
  own.round = record.round;
  work(own);
  mergers_[index]->merge(std::move(own), record);
}

void Learning::serialize(Archive& archive) {
  for (const auto& model : models_) model->serialize(archive);
  for (std::optional<Stop>& stop : stops_) {
    std::string text = text_of(stop);
    archive.field("stop", text);
    stop = stop_named(text);
  }
}

std::vector<PartFootprint> Learning::footprints(int ranks) const {
  std::vector<PartFootprint> parts;
  for (std::size_t i = 0; i < models_.size(); ++i) {
    for (PartFootprint& part : models_[i]->footprints(ranks)) {
      if (i > 0) part.part = fmt::format("buyer.{}: {}", owners_[i].name, part.part);
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

}  // namespace souk
