#include "agents/cast/federation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/cast/owners.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/data/graphs/edge_budget.hpp"
#include "sim/data/partitioner.hpp"

namespace souk {
namespace {

std::vector<SampleIndex> united_rows(std::span<const SampleIndex> a, std::span<const SampleIndex> b) {
  std::vector<SampleIndex> all;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

/// The samples of those who stay, without some; `clients` and `units` ascend.
Deal deal_of_rest(const Deal& deal, std::span<const AgentId> clients, std::span<const SampleIndex> units) {
  Deal rest;
  rest.offsets.push_back(0);
  for (std::uint32_t id = 0; id < deal.agents(); ++id) {
    if (!std::ranges::binary_search(clients, AgentId{id})) {
      std::ranges::set_difference(deal.of(id), units, std::back_inserter(rest.samples));
    }
    rest.offsets.push_back(rest.samples.size());
  }
  return rest;
}

std::vector<SampleIndex> without(std::span<const SampleIndex> samples, std::span<const SampleIndex> units) {
  std::vector<SampleIndex> rest;
  std::ranges::set_difference(samples, units, std::back_inserter(rest));
  return rest;
}

}  // namespace

Federation::Federation(const scenario::Scenario& scenario, const std::string& device, SharedData data,
                       std::span<const scenario::Root* const> roots, bool validating)
    : scenario_(scenario),
      data_(std::move(data)),
      given_(data_.graph),
      given_train_(data_.train),
      task_(make_task(scenario.task(), data_.train, data_.test, device, data_.graph)),
      population_(scenario),
      noise_(scenario, *task_) {
  std::vector<SampleIndex> reserved;
  for (const scenario::Root* root : roots) {
    roots_.emplace_back();
    if (root == nullptr) continue;
    const std::size_t owner = roots_.size() - 1;
    roots_.back() =
        with_owner_path(owner, [&] { return draw_root_data(*root, *task_, scenario.seed(), owner, reserved); });
    reserved = united_rows(reserved, roots_.back().samples());
  }
  const std::vector<double> buyer = class_shares(roots_.front().samples(), task_->labels(), task_->classes());
  validation_ =
      draw_validation_data(scenario.evaluation().validation_fraction(), data_.train.size(), reserved, scenario.seed());
  reserved = united_rows(reserved, validation_);
  auxiliary_ = draw_auxiliary_data(scenario.has_inference() ? scenario.inference().auxiliary_per_class() : 0,
                                   task_->labels(), task_->classes(), reserved, scenario.seed());
  reserved = united_rows(reserved, auxiliary_);
  const DealInput input{.labels = task_->labels(),
                        .groups = data_.train.groups(),
                        .classes = task_->classes(),
                        .agents = scenario.participants().clients(),
                        .min_samples = scenario.partition().min_samples(),
                        .reference = buyer,
                        .unlabelled = task_->classes() > 0 ? 0 : task_->units(Split::train),
                        .edges = data_.graph.nodes() > 0 ? &data_.graph.edges : nullptr,
                        .features = data_.graph.nodes() > 0 ? &data_.graph.features : nullptr,
                        .nodes = data_.graph.train_nodes};
  deal_ = deal_without(reserved, scenario.partition(), input, scenario.seed());
  share_with_fakes(population_, deal_.deal);
  validators_ = std::make_unique<Validators>(scenario.validators(), validating || scenario.validators().always(),
                                             deal_.deal, *task_, scenario.seed());
  if (validating) validators_->check();
  selector_ = std::make_unique<Selector>(scenario.participants(), scenario.seed(), population_, deal_.deal);
  spread_noise();
}

/// Over the units that anybody trains on; fake identities hold copies.
void Federation::spread_noise() {
  if (!noise_.is_there()) return;
  std::size_t units = 0;
  for (std::uint32_t id = 0; id < population_.genuine(); ++id) units += validators_->training_count({id});
  noise_.spread_over(units);
}

void Federation::forget(const Forgotten& more) {
  Forgotten all = forgotten_;
  all.add(more);
  forget_exactly(std::move(all));
}

void Federation::forget_exactly(Forgotten all) {
  if (all == forgotten_) return;
  if (forgotten_.empty()) {
    dealt_ = deal_.deal;
    dealt_roots_ = roots_;
    dealt_validation_ = validation_;
  }
  const GraphReduction cut = forgotten_.graph;
  forgotten_ = std::move(all);
  take_out_units();
  spread_noise();
  data_.train = given_train_.revised(revised_rows(given_train_, forgotten_.readings));
  if (forgotten_.graph == cut) return;
  reduced_ = std::make_shared<const ReducedGraph>(given_, forgotten_.graph);
  data_.graph = reduced_->graph();
  task_->data_changed();
}

/// Those that are gone, and those that are held back.
void Federation::take_out_units() {
  std::vector<SampleIndex> held_back, out;
  for (const auto& [unit, reading] : forgotten_.readings) {
    if (reading.held_back) held_back.push_back(unit);
  }
  std::ranges::set_union(forgotten_.units, held_back, std::back_inserter(out));
  deal_.deal = deal_of_rest(dealt_, forgotten_.clients, out);
  for (std::size_t i = 0; i < roots_.size(); ++i) roots_[i] = RootSamples(without(dealt_roots_[i].samples(), out));
  validation_ = without(dealt_validation_, out);
}

SharedData Federation::data_as_given() const {
  SharedData data = data_;
  data.graph = given_;
  data.train = given_train_;
  return data;
}

void Federation::recast(const Federation& like) {
  population_ = like.population_;
  const bool touched = !like.forgotten_.empty();
  roots_ = touched ? like.dealt_roots_ : like.roots_;
  validation_ = touched ? like.dealt_validation_ : like.validation_;
  auxiliary_ = like.auxiliary_;
  deal_ = like.deal_;
  if (touched) deal_.deal = like.dealt_;
  noise_.draw(like.noise_.training());
  spread_noise();
}

bool Federation::takes_part(AgentId client) const {
  return !std::ranges::binary_search(forgotten_.clients, client) && !deal_.deal.of(client.value).empty();
}

ClientWork Federation::work_of(AgentId client) const {
  const double model_bytes = static_cast<double>(parameters() * sizeof(float));
  const auto samples = static_cast<double>(samples_trained(validators_->training_count(client)));
  return {3.0 * task_->forward_flops() * samples, model_bytes, model_bytes};
}

std::uint64_t Federation::samples_trained(std::size_t held) const {
  const scenario::Training& training = scenario_.task().training();
  if (training.algorithm() == scenario::Training::FED_SGD) return held;
  if (!training.has_local_steps() || held == 0) return held * training.local_epochs();
  const std::uint64_t batch = training.batch_size() == 0 ? held : std::min<std::uint64_t>(training.batch_size(), held);
  const std::uint64_t steps_per_pass = (held + batch - 1) / batch;  // the last batch of a pass may be short
  return training.local_steps() / steps_per_pass * held + training.local_steps() % steps_per_pass * batch;
}

std::size_t Federation::largest_batch() const {
  std::size_t most = 0;
  for (std::size_t id = 0; id < deal_.deal.agents(); ++id) most = std::max(most, deal_.deal.of(id).size());
  const std::size_t batch = scenario_.task().training().batch_size();
  return batch == 0 ? most : std::min(batch, most);
}

std::size_t Federation::expected_malicious() const {
  const std::size_t clients = population_.clients();
  return (selector_->wanted() * population_.malicious() + clients - 1) / clients;
}

std::vector<PartFootprint> Federation::footprints() const {
  const Deal& deal = deal_.deal;
  PartFootprint data{"data set", {}}, dealt{"partition", {}};
  data.footprint.node = static_cast<double>(data_.memory->bytes().size());
  dealt.footprint.held = static_cast<double>(deal.samples.capacity() * sizeof(SampleIndex) +
                                             deal.offsets.capacity() * sizeof(std::uint64_t) +
                                             population_.clients() * sizeof(std::int32_t));
  return {data, dealt};
}

SetUpRecord Federation::record() const {
  SetUpRecord record;
  for (std::uint32_t id = 0; id < population_.clients(); ++id) {
    const Device device = population_.device({id});
    record.agents.push_back(
        {{id}, "client", deal_.deal.of(id).size(), population_.group_of({id}), device.compute, device.bandwidth});
  }
  if (task_->classes() > 0) record_classes(record);
  record.metrics.push_back({"parameters", static_cast<double>(parameters())});
  if (const auto noise = edge_budget_of(scenario_.task().data())) {
    record.privacy.push_back({-1, "edge", noise->mechanism, 1, noise->epsilon, 0.0});
  }
  if (deal_.moved > 0) {
    record.events.push_back({"partition repaired", -1,
                             fmt::format("{} samples moved so that every client holds at least {}", deal_.moved,
                                         scenario_.partition().min_samples())});
  }
  return record;
}

/// How many samples of each class every client holds.
void Federation::record_classes(SetUpRecord& record) const {
  const int classes = task_->classes();
  const std::vector<std::uint32_t> table = class_table(deal_.deal, task_->labels(), classes);
  for (std::uint32_t id = 0; id < population_.clients(); ++id) {
    for (int c = 0; c < classes; ++c) {
      const std::uint32_t samples = table[id * static_cast<std::size_t>(classes) + static_cast<std::size_t>(c)];
      if (samples > 0) record.partition.push_back({{id}, c, samples});
    }
  }
  const std::size_t genuine = population_.genuine();  // fake identities hold copies
  const auto dealt = std::span(table).first(genuine * static_cast<std::size_t>(classes));
  record.metrics.push_back({"distance_from_iid", distance_from_iid(dealt, genuine, classes)});
}

}  // namespace souk
