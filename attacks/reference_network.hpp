#pragma once

#include <cstdint>

#include "attacks/read_answers.hpp"

namespace souk {

/// What a network that knows no edges would answer for the same nodes: one of 16 hidden units, trained to tell the
/// classes that were answered by the nodes' features, each divided by their norm. Probabilities. `seed`: of the
/// training.
ReadAnswers reference_answers(const ReadAnswers& answers, const SparseRows& features, std::uint64_t seed);

}  // namespace souk
