#pragma once

#include <cstddef>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

// Which updates a server's rule would select, as an attacker works it out for itself: from distances or products alone.
// Rows ascend; of equal scores the smaller row's is taken. f above what a rule's proof covers is lowered to that.

/// Distances squared. The update of smallest Krum score (Blanchard et al., NIPS 2017).
std::vector<std::size_t> krum_selection(const SymmetricMatrix& distances, std::size_t f);

/// The n - f of smallest Krum score.
std::vector<std::size_t> multi_krum_selection(const SymmetricMatrix& distances, std::size_t f);

/// The n - 2 f that Krum picks one after the other (El Mhamdi et al., ICML 2018).
std::vector<std::size_t> bulyan_selection(const SymmetricMatrix& distances, std::size_t f);

/// All but the f with the largest projections on the top singular direction of the centred updates, once, on all
/// coordinates (Shejwalkar and Houmansadr, NDSS 2021).
std::vector<std::size_t> dnc_selection(const SymmetricMatrix& distances, std::size_t f);

/// Those whose cosine to the mean of the selected is never beyond its median by xi deviations, xi = 2, 2.5, … (AFA,
/// Muñoz-González et al., 2019, Algorithm 1, everybody's reputation and data being equal). `products`: U U^T.
std::vector<std::size_t> afa_selection(const SymmetricMatrix& products);

}  // namespace souk
