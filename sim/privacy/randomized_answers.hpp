#pragma once

#include <cstdint>

namespace souk {

/// The least epsilon >= 0 with which so many answers by randomised response, each epsilon-differentially private by
/// itself, are (epsilon, delta)-differentially private together, whatever the questions: how many of them come out true
/// is binomial, and that is all that tells the two worlds apart. Exact. `delta` in [0, 1).
double randomized_answers_epsilon(double epsilon_of_one, std::uint64_t answers, double delta);

}  // namespace souk
