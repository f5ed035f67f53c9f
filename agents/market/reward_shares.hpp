#pragma once

#include <span>
#include <vector>

namespace souk {

/// How much of the model each seller earns: tanh(beta v_i) / max over j of tanh(beta v_j), [values]; values below 0
/// count as 0, and where none is above 0 nobody earns anything (Xu et al., "Gradient Driven Rewards to Guarantee
/// Fairness in Collaborative Machine Learning", NeurIPS 2021). Contract: beta > 0.
std::vector<double> reward_shares(double beta, std::span<const double> values);

}  // namespace souk
