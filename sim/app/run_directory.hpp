#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "sim/base/file_lock.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// The directory of one run, locked against a second one while this object lives. Used on rank 0 only.
class RunDirectory {
 public:
  /// Chooses it: `asked` if not empty, else the scenario's, else runs/NAME-IDENTITY, numbered where that holds a run
  /// already and `resume` is not set. Creates nothing. Throws InputError for a directory that holds a run and is
  /// neither numbered nor resumed.
  RunDirectory(const std::string& asked, const scenario::Scenario& scenario, const std::string& identity, bool resume);
  /// This one, whatever it holds.
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  const std::filesystem::path& path() const { return path_; }
  bool holds_a_run() const;
  /// Creates and locks it; false where another run is writing there. Throws InputError where it cannot be written.
  bool try_open();
  /// Whether what was opened is still found under its path.
  bool is_in_place() const { return lock_.is_in_place(path_ / "lock"); }
  /// Throws std::runtime_error where it is not.
  void require_in_place() const;

 private:
  std::filesystem::path path_;
  FileLock lock_;
};

}  // namespace souk
