#include "agents/cast/selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "scenarios/participants.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

std::size_t updates_wanted(const scenario::Participants& participants, std::size_t clients) {
  if (participants.has_fraction()) {
    return std::max<std::size_t>(
        1, static_cast<std::size_t>(std::llround(participants.fraction() * static_cast<double>(clients))));
  }
  SOUK_REQUIRE(!participants.has_everyone() || participants.everyone(),
               "participants.everyone = false: chooses nobody; set per_round or fraction instead");
  if (participants.everyone()) return clients;
  SOUK_REQUIRE(participants.per_round() <= clients, "participants.per_round = {}: there are {} clients",
               participants.per_round(), clients);
  return participants.per_round();
}

/// 1.1 * 50 is a little more than 55 in double, and still means 55.
std::size_t rounded_up(double value) { return static_cast<std::size_t>(std::ceil(value - 1e-9)); }

/// Floyd's sampling without replacement: O(count) memory for any population.
std::vector<std::uint32_t> sample_uniformly(std::size_t population, std::size_t count, Stream& random) {
  std::set<std::uint32_t> chosen;
  for (std::size_t j = population - count; j < population; ++j) {
    const std::uint32_t candidate = random.below(static_cast<std::uint32_t>(j + 1));
    if (!chosen.insert(candidate).second) chosen.insert(static_cast<std::uint32_t>(j));
  }
  return {chosen.begin(), chosen.end()};
}

/// Efraimidis and Spirakis, "Weighted Random Sampling with a Reservoir", 2006: the largest log(u) / weight.
std::vector<std::uint32_t> sample_by_samples(const Deal& deal, std::size_t count,
                                             const std::vector<std::uint32_t>* eligible, Stream& random) {
  std::vector<std::pair<double, std::uint32_t>> keys;
  const auto pool = static_cast<std::uint32_t>(eligible == nullptr ? deal.agents() : eligible->size());
  for (std::uint32_t k = 0; k < pool; ++k) {
    const std::uint32_t i = eligible == nullptr ? k : (*eligible)[k];
    const double draw = std::log(1.0 - random.uniform());
    const auto weight = static_cast<double>(deal.of(i).size());
    keys.emplace_back(weight > 0.0 ? draw / weight : -std::numeric_limits<double>::infinity(), i);
  }
  const auto end = keys.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(keys.begin(), end, keys.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<std::uint32_t> chosen;
  for (auto key = keys.begin(); key != end; ++key) chosen.push_back(key->second);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

Selector::Selector(const scenario::Participants& participants, std::uint64_t seed, const Population& population,
                   const Deal& deal)
    : seed_(seed),
      population_(population),
      deal_(deal),
      by_samples_(participants.weighting() == scenario::Participants::BY_SAMPLES),
      wanted_(updates_wanted(participants, population.clients())),
      asked_(std::min<std::size_t>(population.clients(), rounded_up(participants.availability().over_selection() *
                                                                    static_cast<double>(wanted_)))),
      dropout_(participants.availability().dropout()),
      deadline_(participants.availability().deadline()) {}

/// Of `eligible`, ascending; null: of all.
std::vector<std::uint32_t> Selector::sample(RoundIndex round, std::uint16_t owner, std::size_t count,
                                            const std::vector<std::uint32_t>* eligible) const {
  Stream random(seed_, streams::selection(owner, round));
  if (by_samples_) return sample_by_samples(deal_, count, eligible, random);
  if (eligible == nullptr) return sample_uniformly(population_.clients(), count, random);
  std::vector<std::uint32_t> chosen = sample_uniformly(eligible->size(), count, random);
  for (std::uint32_t& client : chosen) client = (*eligible)[client];
  return chosen;
}

RoundSelection Selector::select(RoundIndex round, const std::function<ClientWork(AgentId)>& work,
                                const Invitation& invitation) const {
  RoundSelection selection;
  const bool everybody = !invitation.eligible;
  std::vector<std::uint32_t> eligible;
  for (std::uint32_t id = 0; !everybody && id < population_.clients(); ++id) {
    if (invitation.eligible({id})) eligible.push_back(id);
  }
  const std::size_t pool = everybody ? population_.clients() : eligible.size();
  const std::size_t wanted = std::min({wanted_, invitation.most, pool});
  const std::size_t asked = std::min(invitation.most < wanted_ ? invitation.most : asked_, pool);
  std::vector<std::pair<double, std::size_t>> arrivals;
  for (const std::uint32_t id : sample(round, invitation.owner, asked, everybody ? nullptr : &eligible)) {
    if (invitation.takes_part && !invitation.takes_part({id})) continue;
    Candidate candidate{.client = {id}, .outcome = SelectionOutcome::spare};
    if (Stream(seed_, streams::availability(candidate.client, round)).uniform() < dropout_) {
      candidate.outcome = SelectionOutcome::dropout;
    } else {
      const Device device = population_.device(candidate.client);
      const ClientWork load = work(candidate.client);
      candidate.arrival_seconds = (load.bytes_down + load.bytes_up) / device.bandwidth + load.flops / device.compute;
      if (deadline_ > 0.0 && candidate.arrival_seconds > deadline_) {
        candidate.outcome = SelectionOutcome::late;
      } else {
        arrivals.emplace_back(candidate.arrival_seconds, selection.asked.size());
      }
    }
    selection.asked.push_back(std::move(candidate));
  }
  std::sort(arrivals.begin(), arrivals.end());
  const std::size_t used = std::min(wanted, arrivals.size());
  for (std::size_t a = 0; a < used; ++a) selection.asked[arrivals[a].second].outcome = SelectionOutcome::accepted;
  for (const Candidate& candidate : selection.asked) {
    if (candidate.outcome == SelectionOutcome::accepted) selection.accepted.push_back(candidate.client);
  }
  const bool waited_in_vain = used < wanted && deadline_ > 0.0;
  if (waited_in_vain) {
    selection.virtual_seconds = deadline_;
  } else if (used > 0) {
    selection.virtual_seconds = arrivals[used - 1].first;
  }
  return selection;
}

}  // namespace souk
