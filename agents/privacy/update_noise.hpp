#pragma once

#include <functional>
#include <span>

#include "sim/base/random.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// Names the stream of a panel's noise.
using PanelNoise = std::function<StreamKey(std::size_t panel)>;

/// Shortens a vector to a Euclidean norm of `bound`, computed in double; zero stays zero, and what is not finite as it
/// is. Returns the norm it had.
double shorten(std::span<float> values, double bound);

/// Adds normal noise of standard deviation `sigma` to every value of a vector, panel by panel: the numbers depend on
/// the seed, the names and the column alone.
void add_panel_noise(std::span<float> values, double sigma, std::uint64_t seed, const PanelNoise& stream);

/// The same on a rank's columns of a vector, laid out like `plan`'s.
void add_panel_noise(const Comm& comm, const PanelPlan& plan, std::span<float> columns, double sigma,
                     std::uint64_t seed, const PanelNoise& stream);

}  // namespace souk
