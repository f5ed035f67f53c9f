#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// The state of a run after a round.
struct Checkpoint {
  RoundIndex round;
  std::string scenario_text;     ///< resolved, with every default
  std::string stop;              ///< why the run ended with this round, or ""
  std::vector<std::byte> state;  ///< what Protocol::serialize saved
};

/// Checkpoints of one run: files round-N.souk, written to a temporary and renamed into place, with version and SHA-256.
/// What 8 ranks wrote, 3 ranks resume. Used on rank 0 only.
class CheckpointStore {
 public:
  CheckpointStore(std::filesystem::path directory, std::uint32_t keep);
  bool empty() const;  ///< whether the directory holds no checkpoint, or is not there
  /// Puts the checkpoint in place, then removes all but the newest `keep`. Throws std::runtime_error.
  void commit(const Checkpoint& checkpoint) const;
  /// The newest one that is whole; damaged files are skipped with a warning. Throws InputError if its scenario differs
  /// from `scenario`, naming the first differing field.
  std::optional<Checkpoint> latest(const scenario::Scenario& scenario) const;

 private:
  std::filesystem::path directory_;
  std::uint32_t keep_;
};

}  // namespace souk
