#include "agents/unlearning/client_sums.hpp"

#include <algorithm>

#include "agents/training/placement.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

constexpr std::size_t clients_at_once = 32;
constexpr std::size_t rows_at_once = 500;  ///< of a client with rows: bounds the features and activations in memory

/// Calls `work` with parts of the units that depend on the units alone. Nodes of a graph go together: what they depend
/// on is found once.
template <class OfPart>
void in_parts(Task& task, UnitSet units, const OfPart& work) {
  const std::size_t step = task.rows() != nullptr ? rows_at_once : units.size();
  for (std::size_t first = 0; first < units.size(); first += step) {
    work(units.subspan(first, std::min(step, units.size() - first)));
    heartbeat::beat();
  }
}

std::vector<int> placed(std::span<const DealtUnits> holders, int ranks) {
  std::vector<double> costs;
  for (const DealtUnits& holder : holders) costs.push_back(static_cast<double>(holder.units.size()));
  return place_longest_first(costs, ranks);
}

}  // namespace

BatchEdit edit_of_holder(ModelServer& server, const DealtUnits& holder) {
  const std::vector<SampleIndex> still = server.federation().validators().training_samples(holder.client);
  std::vector<SampleIndex> mine;
  std::ranges::set_union(still, holder.units, std::back_inserter(mine));
  return server.edit_of(holder.client, mine);
}

ClientSums::ClientSums(ModelServer& server, std::span<const DealtUnits> holders)
    : server_(server),
      comm_(server.comm()),
      federation_(server.federation()),
      holders_(holders),
      edits_(holders.size()) {
  for (const DealtUnits& holder : holders) units_ += holder.units.size();
}

BatchEdit ClientSums::edit_of(AgentId client) {
  const auto holder = std::ranges::lower_bound(holders_, client, {}, &DealtUnits::client);
  auto& edit = edits_[static_cast<std::size_t>(holder - holders_.begin())];
  if (!edit) edit = edit_of_holder(server_, *holder);
  return *edit;
}

template <class OfClient>
std::vector<double> ClientSums::add_up(std::span<const DealtUnits> holders, const OfClient& of_client) {
  const std::size_t dimension = federation_.task().layout().trainable();
  std::vector<double> total(dimension, 0.0), own(dimension);
  std::vector<float> whole(dimension);
  for (std::size_t first = 0; first < holders.size(); first += clients_at_once) {
    const auto group = holders.subspan(first, std::min(clients_at_once, holders.size() - first));
    std::vector<AgentId> clients;
    for (const DealtUnits& holder : group) clients.push_back(holder.client);
    rows_.reset(comm_, clients, placed(group, comm_.size()), dimension);
    comm_.run_phase("sum over clients", [&] {
      for (std::size_t k = 0; k < group.size(); ++k) {
        if (!rows_.is_local(k)) continue;
        std::ranges::fill(own, 0.0);
        of_client(group[k], edit_of(group[k].client), own);
        std::ranges::transform(own, rows_.row(k).begin(), [](double v) { return static_cast<float>(v); });
      }
    });
    to_columns(comm_, rows_, {0, dimension}, columns_);
    replicate(comm_, columns_.plan(), combine(columns_, std::vector<double>(group.size(), 1.0)), whole);
    for (std::size_t v = 0; v < dimension; ++v) total[v] += static_cast<double>(whole[v]);
  }
  return total;
}

std::vector<double> ClientSums::sum_of(std::span<const DealtUnits> some, const Work& work) {
  std::vector<float> part(federation_.task().layout().trainable());
  return add_up(some, [&](const DealtUnits& holder, const BatchEdit& edit, std::vector<double>& out) {
    in_parts(federation_.task(), holder.units, [&](UnitSet units) {
      work(units, edit, part);
      const auto count = static_cast<double>(units.size());
      for (std::size_t v = 0; v < out.size(); ++v) out[v] += count * static_cast<double>(part[v]);
    });
  });
}

std::vector<double> ClientSums::sum_of_squares(const Work& work) {
  std::vector<float> part(federation_.task().layout().trainable());
  return add_up(holders_, [&](const DealtUnits& holder, const BatchEdit& edit, std::vector<double>& out) {
    for (const SampleIndex unit : holder.units) {
      work(UnitSet(&unit, 1), edit, part);
      for (std::size_t v = 0; v < out.size(); ++v)
        out[v] += static_cast<double>(part[v]) * static_cast<double>(part[v]);
      heartbeat::beat();
    }
  });
}

double ClientSums::mean_loss(Task& task, std::span<const float> model) {
  const std::size_t width = task.tally_size();
  const std::vector<int> owners = placed(holders_, comm_.size());
  const auto ranks = static_cast<std::size_t>(comm_.size());
  std::vector<std::size_t> counts(ranks), places(ranks);
  for (const int owner : owners) counts[static_cast<std::size_t>(owner)] += width;
  for (std::size_t r = 1; r < ranks; ++r) places[r] = places[r - 1] + counts[r - 1];
  std::vector<double> own, all(holders_.size() * width), sums(width, 0.0);
  comm_.run_phase("loss over clients", [&] {
    std::vector<double> part(width);
    for (std::size_t k = 0; k < holders_.size(); ++k) {
      if (owners[k] != comm_.rank()) continue;
      const std::size_t first = own.size();
      own.resize(first + width, 0.0);
      const BatchEdit edit = edit_of(holders_[k].client);
      in_parts(task, holders_[k].units, [&](UnitSet units) {
        task.tally(model, Split::train, units, part, edit);
        for (std::size_t i = 0; i < width; ++i) own[first + i] += part[i];
      });
    }
  });
  comm_.all_gather_into(std::span<const double>(own), counts, std::span(all));
  for (const int owner : owners) {
    std::size_t& place = places[static_cast<std::size_t>(owner)];
    for (std::size_t i = 0; i < width; ++i) sums[i] += all[place + i];
    place += width;
  }
  return task.scores(sums).loss;
}

}  // namespace souk
