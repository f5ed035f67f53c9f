#pragma once

#include <memory>
#include <vector>

#include "aggregators/pre/pre_aggregator.hpp"

namespace souk {

/// A rule behind pre-aggregators. The chain is worked out in coefficients of the original updates, from their mutual
/// distances; the combinations it ends with are formed in one pass and handed to the rule.
std::unique_ptr<Aggregator> make_pipeline(std::vector<std::unique_ptr<PreAggregator>> stages,
                                          std::unique_ptr<Aggregator> rule);

}  // namespace souk
