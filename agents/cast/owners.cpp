#include "agents/cast/owners.hpp"

#include <set>

#include "agents/cast/metric_name.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {
std::vector<Owner> owners_of(const scenario::Scenario& scenario) {
  std::vector<Owner> owners{{.account = first_buyer, .aggregator = &scenario.aggregator(), .root = &scenario.root()}};
  std::set<std::string> names;
  for (const scenario::Buyer& rival : scenario.market().rivals()) {
    SOUK_REQUIRE(is_metric_name(rival.name()),
                 "market.rivals.name = \"{}\": lower-case letters, digits and underscores only", rival.name());
    SOUK_REQUIRE(names.insert(rival.name()).second, "market.rivals.name = \"{}\": two buyers of one name",
                 rival.name());
    owners.push_back({.name = rival.name(),
                      .account = first_buyer - static_cast<std::int64_t>(owners.size()),
                      .aggregator = &rival.aggregator(),
                      .root = &rival.root()});
  }
  return owners;
}

}  // namespace souk
