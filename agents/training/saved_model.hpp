#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Federation;

/// A model in a file: that of a run's first owner, as a checkpoint has it, or one from an archive.
struct SavedModel {
  std::vector<Slot> tensors;      ///< in the order of its parameters; none in a checkpoint of version 1 or 2
  std::vector<float> parameters;  ///< [dimension]
  RoundIndex round{};             ///< after which it was saved
  std::int64_t layout = 0;        ///< fingerprint of its parameters' names and shapes, in a checkpoint
  bool archived = false;          ///< in an .npz archive, which says neither round nor layout
};

/// The model at `path`: the directory of a run, for its newest checkpoint; a checkpoint file; or an .npz archive with
/// an array of reals for each named tensor. Throws InputError.
SavedModel saved_model(const std::filesystem::path& path);
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
