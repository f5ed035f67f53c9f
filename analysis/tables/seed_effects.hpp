#pragma once

#include <span>
#include <string>
#include <vector>

namespace souk {

/// A number of one run: what else than the seed it stands for, and the seed.
struct SeededValue {
  std::string setting, seed;
  double value = 0.0;
};

/// How far each seed lies off: the mean of its values' distances from the means of their settings, one number for each
/// seed, in the order of the seeds' names. Their deviation is the spread over seeds alone, whatever settings are taken
/// together; of a single setting it is that of the values.
std::vector<double> seed_effects(std::span<const SeededValue> values);

}  // namespace souk
