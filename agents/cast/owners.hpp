#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/error.hpp"

namespace souk::scenario {
class Aggregator;
class Root;
class Scenario;
}  // namespace souk::scenario

namespace souk {

/// Whose model is trained: the server of a federation, or each buyer of a market. Points into the scenario.
struct Owner {
  std::string name{};         ///< of a rival; empty: the first
  std::int64_t account = -1;  ///< under which its rows are recorded
  const scenario::Aggregator* aggregator = nullptr;
  const scenario::Root* root = nullptr;
};

/// The first is the scenario's own server. Throws InputError for names that are not in order.
std::vector<Owner> owners_of(const scenario::Scenario& scenario);

/// Runs `work`; an InputError about one of the fields that every owner has ("aggregator…", "root…") gets the place of
/// this owner's in the scenario: "market.rivals[0].root.samples". The first owner is `index` 0.
template <class Work>
auto with_owner_path(std::size_t index, Work work) {
  try {
    return work();
  } catch (const InputError& error) {
    const std::string text = error.what();
    const bool own = text.starts_with("aggregator") || text.starts_with("root");
    if (index == 0 || !own) throw;
    throw InputError(fmt::format("market.rivals[{}].{}", index - 1, text));
  }
}

}  // namespace souk
