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
  if (participants.has_poisson()) {
    return std::max<std::size_t>(
        1, static_cast<std::size_t>(std::llround(participants.poisson() * static_cast<double>(clients))));
  }
  if (participants.has_rotation()) {
    SOUK_REQUIRE(participants.rotation() <= clients, "participants.rotation = {}: there are {} clients",
                 participants.rotation(), clients);
    return (clients + participants.rotation() - 1) / participants.rotation();
  }
  SOUK_REQUIRE(!participants.has_everyone() || participants.everyone(),
               "participants.everyone = false: chooses nobody; set per_round or fraction instead");
  if (participants.everyone()) return clients;
  SOUK_REQUIRE(participants.per_round() <= clients, "participants.per_round = {}: there are {} clients",
               participants.per_round(), clients);
  return participants.per_round();
}

/// The probability of each client by itself; none: a round wants a number of clients. Throws InputError for what then
/// has no meaning.
std::optional<double> inclusion_of(const scenario::Participants& participants) {
  if (!participants.has_poisson()) return std::nullopt;
  SOUK_REQUIRE(
      participants.availability().over_selection() == 1.0,
      "participants.availability.over_selection = {}: with participants.poisson a round wants no number of updates, "
      "and nobody is a spare",
      participants.availability().over_selection());
  SOUK_REQUIRE(
      participants.weighting() == scenario::Participants::UNIFORM,
      "participants.weighting = BY_SAMPLES: with participants.poisson every client comes with the same probability");
  return participants.poisson();
}

/// How many groups take turns; 0: clients do not. Throws InputError for what then has no meaning.
std::size_t groups_of(const scenario::Participants& participants) {
  if (!participants.has_rotation()) return 0;
  SOUK_REQUIRE(participants.availability().over_selection() == 1.0,
               "participants.availability.over_selection = {}: with participants.rotation nobody is asked out of turn",
               participants.availability().over_selection());
  SOUK_REQUIRE(participants.weighting() == scenario::Participants::UNIFORM,
               "participants.weighting = BY_SAMPLES: with participants.rotation nobody is drawn");
  return participants.rotation();
}

/// Mean and six standard deviations of a binomial number of clients.
std::size_t most_of(double inclusion, std::size_t clients) {
  const double mean = inclusion * static_cast<double>(clients);
  const double bound = std::ceil(mean + 6.0 * std::sqrt(mean * (1.0 - inclusion)) + 6.0);
  return std::min(clients, static_cast<std::size_t>(bound));
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
      inclusion_(inclusion_of(participants)),
      groups_(groups_of(participants)),
      wanted_(updates_wanted(participants, population.clients())),
      asked_(std::min<std::size_t>(population.clients(), rounded_up(participants.availability().over_selection() *
                                                                    static_cast<double>(wanted_)))),
      most_(inclusion_ ? most_of(*inclusion_, population.clients()) : wanted_),
      dropout_(participants.availability().dropout()),
      deadline_(participants.availability().deadline()) {}

double Selector::expected() const {
  const auto clients = static_cast<double>(population_.clients());
  if (groups_ > 0) return clients / static_cast<double>(groups_);
  return inclusion_ ? *inclusion_ * clients : static_cast<double>(wanted_);
}

std::uint64_t Selector::separation() const {
  if (groups_ > 0) return groups_;
  return !inclusion_ && wanted_ == population_.clients() ? 1 : 0;
}

std::uint64_t Selector::turns(std::uint64_t rounds) const {
  const std::uint64_t groups = std::max<std::uint64_t>(1, groups_);
  return (rounds + groups - 1) / groups;
}

double Selector::inclusion_bound() const {
  if (inclusion_) return *inclusion_;
  if (groups_ > 0) return 1.0;
  if (by_samples_) return 1.0;  // whoever holds enough is always there
  return static_cast<double>(asked_) / static_cast<double>(population_.clients());
}

/// Whoever comes by itself, each by its own draw; of more than may be asked those with the smallest draws, which are
/// any so many of them alike.
std::vector<std::uint32_t> Selector::drawn(RoundIndex round, const Invitation& invitation, std::size_t asked,
                                           const std::vector<std::uint32_t>* eligible) const {
  if (groups_ > 0) return whose_turn(round, invitation);
  if (!inclusion_) return sample(round, invitation.owner, asked, eligible);
  std::vector<std::pair<double, std::uint32_t>> come;
  const std::size_t pool = eligible == nullptr ? population_.clients() : eligible->size();
  for (std::uint32_t k = 0; k < pool; ++k) {
    const AgentId client{eligible == nullptr ? k : (*eligible)[k]};
    const double draw = Stream(seed_, streams::inclusion(invitation.owner, client, round)).uniform();
    if (draw < *inclusion_) come.emplace_back(draw, client.value);
  }
  std::sort(come.begin(), come.end());
  come.resize(std::min(come.size(), invitation.most));
  std::vector<std::uint32_t> chosen;
  for (const auto& [draw, client] : come) chosen.push_back(client);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

/// Those dealt to the group of the round who may be asked, the first of them where not all may.
std::vector<std::uint32_t> Selector::whose_turn(RoundIndex round, const Invitation& invitation) const {
  std::vector<std::uint32_t> order(population_.clients()), chosen;
  std::iota(order.begin(), order.end(), 0U);
  Stream(seed_, streams::rotation(invitation.owner)).shuffle(order);
  for (std::size_t k = (round.value - 1) % groups_; k < order.size(); k += groups_) {
    if (!invitation.eligible || invitation.eligible({order[k]})) chosen.push_back(order[k]);
  }
  chosen.resize(std::min(chosen.size(), invitation.most));
  std::ranges::sort(chosen);
  return chosen;
}

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
  const std::size_t asked = std::min(invitation.most < wanted_ ? invitation.most : asked_, pool);
  const std::vector<std::uint32_t> chosen = drawn(round, invitation, asked, everybody ? nullptr : &eligible);
  const std::size_t wanted = inclusion_ || groups_ > 0 ? chosen.size() : std::min({wanted_, invitation.most, pool});
  std::vector<std::pair<double, std::size_t>> arrivals;
  for (const std::uint32_t id : chosen) {
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
