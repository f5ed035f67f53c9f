#pragma once

#include "attacks/data_attack.hpp"
#include "sim/data/dataset.hpp"

namespace souk {

/// Of a training set of rows.
DataFacts data_facts_of(const Dataset& train);

}  // namespace souk
