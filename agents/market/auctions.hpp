#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"

namespace souk {

/// A seller in a sealed-bid auction. Bids are in ascending order of sellers, which breaks ties.
struct Bid {
  MicroCredits ask = 0;    ///< at least 0
  MicroCredits worth = 0;  ///< of its update to the buyer, at least 0
};

/// Procurement by Vickrey, Clarke and Groves where worths add up (Cong et al., "A VCG-based Fair Incentive Mechanism
/// for Federated Learning", 2020): buys the `most` (0: any number) bids of largest worth - ask above 0, and pays each
/// winner ask + W(S) - W(S without it), the highest ask with which it still wins. Null: not bought. Asking one's cost
/// is a dominant strategy, exactly, as all is computed in integers. n log n.
std::vector<std::optional<MicroCredits>> vcg_auction(std::span<const Bid> bids, std::size_t most);

/// Buys within a budget where worths add up (Singer, "Budget Feasible Mechanisms", FOCS 2010, proportional shares):
/// in order of ask / worth as long as the ask is at most budget * worth / (worth bought with it); pays each winner the
/// highest ask with which it still wins, in all no more than the budget. Null: not bought. Truthful, exactly, as all is
/// computed in integers. n log n log budget.
std::vector<std::optional<MicroCredits>> budget_feasible_auction(std::span<const Bid> bids, MicroCredits budget);

}  // namespace souk
