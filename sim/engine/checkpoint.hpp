#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/archive.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// What a checkpoint says before the state of the run, and where that is.
struct Checkpoint {
  RoundIndex round;           ///< after which it was saved
  std::string scenario_text;  ///< resolved, with every default
  std::string stop;           ///< why the run ended with this round, or ""
  std::string tensors{};  ///< names and shapes of the model's (sim/params/parameter_layout.hpp); "" before version 3
  std::filesystem::path file{};
  std::uint64_t state_begin = 0, state_size = 0;  ///< bytes of the file: what Protocol::serialize saved
};

/// A checkpoint that is being written: takes the state as it comes, piece by piece. An error waits until the
/// checkpoint is put in place, for whoever writes may be in the middle of a collective.
class CheckpointFile final : public StateSink {
 public:
  CheckpointFile(const std::filesystem::path& path, const Checkpoint& head);
  void write(std::span<const std::byte> bytes) override;
  /// Throws what a write has thrown, too.
  void put_in_place();

 private:
  void flush();
  AtomicFile file_;
  Sha256 digest_;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
};

/// The state in a checkpoint, which rank 0 reads and all ranks get, a buffer at a time. Collective: all ranks read the
/// same pieces. Throws PhaseError where the file cannot be read, or where a rank is in another phase of the same name
/// with an error: so a rank that can do nothing with what it read can tell the others.
class CheckpointState final : public StateSource {
 public:
  static constexpr const char* phase = "load checkpoint";
  /// `checkpoint` as `share_checkpoint` gives it.
  CheckpointState(const Comm& comm, const Checkpoint& checkpoint);
  std::uint64_t left() const override { return left_; }
  void read(std::span<std::byte> bytes) override;

 private:
  void refill();
  Comm comm_;
  std::filesystem::path path_;
  std::uint64_t begin_, left_, unread_;  ///< of the state: left to whoever reads, and to be read from the file
  std::ifstream file_;                   ///< on rank 0
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0;  ///< of the buffer
};

/// A checkpoint for whoever reads it alone.
struct OpenCheckpoint {
  Checkpoint head;
  std::unique_ptr<StateSource> state;
};

/// `path` is the file, or the directory of a run, whose newest whole checkpoint it is then. Throws InputError.
OpenCheckpoint open_checkpoint(const std::filesystem::path& path);

/// Checkpoints of one run: files round-N.souk, written to a temporary and renamed into place, with version and SHA-256.
/// What 8 ranks wrote, 3 ranks resume. Used on rank 0 only.
class CheckpointStore {
 public:
  CheckpointStore(std::filesystem::path directory, std::uint32_t keep);
  bool empty() const;  ///< whether the directory holds no checkpoint, or is not there
  /// Begins a checkpoint; `head` says what comes before the state. Throws std::runtime_error.
  std::unique_ptr<CheckpointFile> begin(const Checkpoint& head) const;
  /// Puts the checkpoint in place, then removes all but the newest `keep`. Throws std::runtime_error.
  void commit(CheckpointFile& file) const;
  /// The newest one that is whole; damaged files are skipped with a warning. Throws InputError if its scenario differs
  /// from `scenario`, naming the first differing field.
  std::optional<Checkpoint> latest(const scenario::Scenario& scenario) const;

 private:
  std::filesystem::path directory_;
  std::uint32_t keep_;
};

/// What rank 0 found, on every rank. Collective.
std::optional<Checkpoint> share_checkpoint(const Comm& comm, const std::optional<Checkpoint>& own);

}  // namespace souk
