#pragma once

#include <functional>
#include <span>
#include <vector>

#include "agents/market/market_metrics.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// What updates contribute to accuracy on clean test data: measured beside the market, for nobody in it.
struct Contributions {
  std::vector<double> alone;     ///< [n] accuracy of the model with this update alone (stand-alone accuracy)
  std::vector<double> left_out;  ///< [n] accuracy with the weighted mean less that of the mean without this update
};

/// Accuracy of a model, [dimension] parameters. Collective.
using AccuracyTest = std::function<double(std::span<const float> parameters)>;

/// Measures by n + 1 tests and one for each update with a weight. A step without an update shares its weight out among
/// the others in proportion; without the only one there is no step. Collective.
Contributions measure_contributions(const Comm& comm, std::span<const float> global, const ColumnMatrix& updates,
                                    std::span<const double> weights, const AccuracyTest& accuracy);

/// Records them with the Pearson and Spearman correlations between contribution and payment of the round; no
/// correlation where either does not vary.
void record_contributions(const Contributions& contributions, std::span<const AgentId> sellers,
                          std::span<const double> paid, RoundRecord& record);

}  // namespace souk
