#include "agents/unlearning/client_sums.hpp"

#include <algorithm>

#include "agents/training/placement.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

constexpr std::size_t clients_at_once = 32;
constexpr std::size_t rows_at_once = 500;  ///< of a client with rows: bounds the features and activations in memory

/// Adds the sum over `units` of what `work` gives the mean of to `out`, in parts that depend on the units alone. Nodes
/// of a graph go together: what they depend on is found once.
void add_units(Task& task, UnitSet units, const ClientSums::Work& work, std::vector<float>& part,
               std::vector<double>& out) {
  const std::size_t step = task.rows() != nullptr ? rows_at_once : units.size();
  for (std::size_t first = 0; first < units.size(); first += step) {
    const UnitSet some = units.subspan(first, std::min(step, units.size() - first));
    work(some, part);
    const auto count = static_cast<double>(some.size());
    for (std::size_t v = 0; v < out.size(); ++v) out[v] += count * static_cast<double>(part[v]);
    heartbeat::beat();
  }
}

}  // namespace

ClientSums::ClientSums(const Comm& comm, const Federation& federation, std::span<const DealtUnits> holders)
    : comm_(comm), federation_(federation), holders_(holders) {
  for (const DealtUnits& holder : holders) units_ += holder.units.size();
}

template <class OfClient>
std::vector<double> ClientSums::add_up(const OfClient& of_client) {
  const std::size_t dimension = federation_.task().layout().trainable();
  std::vector<double> total(dimension, 0.0), own(dimension);
  std::vector<float> whole(dimension);
  for (std::size_t first = 0; first < holders_.size(); first += clients_at_once) {
    const auto group = holders_.subspan(first, std::min(clients_at_once, holders_.size() - first));
    std::vector<AgentId> clients;
    std::vector<double> costs;
    for (const DealtUnits& holder : group) {
      clients.push_back(holder.client);
      costs.push_back(static_cast<double>(holder.units.size()));
    }
    const std::vector<int> owners = place_longest_first(costs, comm_.size());
    rows_.reset(comm_, clients, owners, dimension);
    comm_.run_phase("sum over clients", [&] {
      for (std::size_t k = 0; k < group.size(); ++k) {
        if (!rows_.is_local(k)) continue;
        std::ranges::fill(own, 0.0);
        of_client(group[k], own);
        std::ranges::transform(own, rows_.row(k).begin(), [](double v) { return static_cast<float>(v); });
      }
    });
    to_columns(comm_, rows_, {0, dimension}, columns_);
    replicate(comm_, columns_.plan(), combine(columns_, std::vector<double>(group.size(), 1.0)), whole);
    for (std::size_t v = 0; v < dimension; ++v) total[v] += static_cast<double>(whole[v]);
  }
  return total;
}

std::vector<double> ClientSums::sum(const Work& work) {
  std::vector<float> part(federation_.task().layout().trainable());
  return add_up([&](const DealtUnits& holder, std::vector<double>& out) {
    add_units(federation_.task(), holder.units, work, part, out);
  });
}

std::vector<double> ClientSums::sum_of_squares(const Work& work) {
  std::vector<float> part(federation_.task().layout().trainable());
  return add_up([&](const DealtUnits& holder, std::vector<double>& out) {
    for (const SampleIndex unit : holder.units) {
      work(UnitSet(&unit, 1), part);
      for (std::size_t v = 0; v < out.size(); ++v)
        out[v] += static_cast<double>(part[v]) * static_cast<double>(part[v]);
      heartbeat::beat();
    }
  });
}

}  // namespace souk
