#pragma once

#include <filesystem>
#include <string>

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
  RunDirectory(const std::string& asked, const scenario::Scenario& scenario, bool resume);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  bool holds_a_run() const;
  /// Creates and locks it. Throws InputError with the reason.
  void open();

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace souk
