#pragma once

#include "sim/base/ids.hpp"

namespace souk::scenario {
class Training;
}

namespace souk {

/// Client learning rate of a round, from 1, of a run of `rounds`. With w warm-up rounds:
///   round r <= w:    rate * r / (w + 1), so that round w + 1 is the first at the full rate;
///   step decay:      rate * factor^floor((r - 1 - w) / every);
///   cosine decay:    rate * (f + (1 - f) (1 + cos(pi (r - 1 - w) / (rounds - w))) / 2), f the final fraction.
double scheduled_learning_rate(const scenario::Training& training, RoundIndex round, std::uint32_t rounds);

}  // namespace souk
