#include "agents/market/auctions.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Holds a product of two amounts of money: 1e18 millionths times the worths of ten million sellers.
__extension__ using Wide = __int128;

using Prices = std::vector<std::optional<MicroCredits>>;

/// Whether bid `a` has the lower ask per worth; ties go to the first seller.
bool cheaper(std::span<const Bid> bids, std::size_t a, std::size_t b) {
  const Wide left = Wide{bids[a].ask} * bids[b].worth, right = Wide{bids[b].ask} * bids[a].worth;
  return left != right ? left < right : a < b;
}

/// Bids of some worth, the cheapest first, and what others they come after are worth.
struct Queue {
  std::span<const Bid> bids;
  MicroCredits budget = 0;
  std::vector<std::size_t> order;
  std::vector<MicroCredits> worth_before;  ///< of the first k in order, [order + 1]

  /// Whether the bid at `place` would win if it asked `ask`. Those it then comes after win, too: they are cheaper, and
  /// less worth is bought with them.
  bool wins_with(std::size_t place, MicroCredits ask) const {
    const std::size_t self = order[place];
    const MicroCredits worth = bids[self].worth;
    const auto cheaper_than_ask = [&](std::size_t other) {
      const Wide theirs = Wide{bids[other].ask} * worth, ours = Wide{ask} * bids[other].worth;
      return theirs != ours ? theirs < ours : other < self;
    };
    // The bid itself stands in the queue with another ask, and is not to be counted.
    const auto begin = order.begin(), own = begin + static_cast<std::ptrdiff_t>(place);
    const auto early = std::partition_point(begin, own, cheaper_than_ask);
    const auto late = early == own ? std::partition_point(own + 1, order.end(), cheaper_than_ask) : early;
    MicroCredits before = worth_before[static_cast<std::size_t>(late - begin)];
    if (late > own) before -= worth;
    return Wide{ask} * (Wide{before} + worth) <= Wide{budget} * worth;
  }
};

Queue queue_of(std::span<const Bid> bids, MicroCredits budget) {
  Queue queue{.bids = bids, .budget = budget, .order = {}, .worth_before = {0}};
  for (std::size_t i = 0; i < bids.size(); ++i) {
    SOUK_EXPECT(bids[i].ask >= 0 && bids[i].worth >= 0);
    if (bids[i].worth > 0) queue.order.push_back(i);
  }
  std::ranges::sort(queue.order, [&](std::size_t a, std::size_t b) { return cheaper(bids, a, b); });
  for (const std::size_t i : queue.order) queue.worth_before.push_back(queue.worth_before.back() + bids[i].worth);
  return queue;
}

/// The highest ask with which the winner at `place` still wins: a bid that wins also wins with any lower ask.
MicroCredits threshold(const Queue& queue, std::size_t place) {
  MicroCredits wins = queue.bids[queue.order[place]].ask, loses = queue.budget + 1;
  while (loses - wins > 1) {
    const MicroCredits ask = wins + (loses - wins) / 2;
    (queue.wins_with(place, ask) ? wins : loses) = ask;
  }
  return wins;
}

}  // namespace

Prices vcg_auction(std::span<const Bid> bids, std::size_t most) {
  const auto surplus = [&](std::size_t i) { return bids[i].worth - bids[i].ask; };
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < bids.size(); ++i) {
    SOUK_EXPECT(bids[i].ask >= 0 && bids[i].worth >= 0);
    if (surplus(i) > 0) order.push_back(i);
  }
  std::ranges::stable_sort(order, std::ranges::greater{}, surplus);
  const std::size_t winners = most > 0 ? std::min(most, order.size()) : order.size();
  const MicroCredits best_loser = winners < order.size() ? surplus(order[winners]) : 0;
  Prices prices(bids.size());
  for (std::size_t k = 0; k < winners; ++k) prices[order[k]] = bids[order[k]].worth - best_loser;
  return prices;
}

Prices budget_feasible_auction(std::span<const Bid> bids, MicroCredits budget) {
  SOUK_EXPECT(budget >= 0);
  const Queue queue = queue_of(bids, budget);
  Prices prices(bids.size());
  for (std::size_t place = 0; place < queue.order.size(); ++place) {
    const std::size_t i = queue.order[place];
    if (!queue.wins_with(place, bids[i].ask)) break;
    prices[i] = threshold(queue, place);
  }
  return prices;
}

}  // namespace souk
