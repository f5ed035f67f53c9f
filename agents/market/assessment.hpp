#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "agents/market/market_metrics.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// What updates contribute to quality on clean test data: measured beside the market, for nobody in it.
struct Contributions {
  std::vector<double> alone;     ///< [n] quality of the model with this update alone (stand-alone accuracy)
  std::vector<double> left_out;  ///< [n] quality with the weighted mean less that of the mean without this update
};

/// The quality of models on clean test data, and what the task calls it.
struct QualityTest {
  std::string name;
  std::function<double(std::span<const float> parameters)> of;  ///< [dimension] parameters. Collective.
};

/// Measures by n + 1 tests and one for each update with a weight. A step without an update shares its weight out among
/// the others in proportion; without the only one there is no step. Collective.
Contributions measure_contributions(const Comm& comm, std::span<const float> global, const ColumnMatrix& updates,
                                    std::span<const double> weights, const QualityTest& quality);

/// Records them with the Pearson and Spearman correlations between contribution and payment of the round; no
/// correlation where either does not vary.
void record_contributions(const Contributions& contributions, const std::string& quality,
                          std::span<const AgentId> sellers, std::span<const double> paid, RoundRecord& record);

}  // namespace souk
