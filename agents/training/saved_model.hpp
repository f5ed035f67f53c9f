#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Federation;

/// The model of a run's first owner, as a checkpoint has it.
struct SavedModel {
  std::int64_t layout = 0;        ///< fingerprint of its parameters' names and shapes
  std::vector<float> parameters;  ///< [dimension]
};

/// The model that server.start_from names; one without parameters where it names none. Throws InputError.
SavedModel saved_model(const scenario::Scenario& scenario);

/// The parameters, [dimension], that an owner's model has before the first round. Throws InputError where the saved
/// ones are another network's.
std::vector<float> initial_parameters(const Federation& federation, std::size_t owner);

/// SHA-256 of what a run is computed from beside its scenario: of its data, whose hash is given, of the model that it
/// starts from, of the graphs that attackers have of their own, and of the code that it names, if there are any. Reads
/// them.
std::string contents_hash(const scenario::Scenario& scenario, const std::string& data_hash);

}  // namespace souk
