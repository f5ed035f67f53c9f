#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace souk {

/// How a file's content is known.
enum class Checksum : std::uint8_t { sha256, md5 };

/// One file of a public data set.
struct CatalogueFile {
  std::string name;         ///< appended to a mirror's URL
  std::uint64_t bytes = 0;  ///< 0: not known beforehand
  Checksum checksum = Checksum::sha256;
  std::string digest;  ///< lower-case hexadecimal
};

/// One public data set and where it can be had.
struct CatalogueSet {
  std::string name;
  std::string folder;                ///< where it is put, below the directory asked for
  std::vector<std::string> mirrors;  ///< URLs that end in "/", tried in order
  std::vector<CatalogueFile> files;
  bool unpack = false;  ///< whether the files are .tar.gz archives whose .bin members are wanted
};

/// The sets `souk data fetch` knows.
const std::vector<CatalogueSet>& dataset_catalogue();

struct FetchProgress {
  std::string file;
  std::uint64_t received = 0;  ///< bytes on disk so far
  std::uint64_t total = 0;     ///< 0: not known
};

struct FetchOptions {
  std::vector<std::string> mirrors;  ///< instead of the catalogue's; if empty, SOUK_MIRRORS (separated by spaces) is
  std::function<void(const FetchProgress&)> progress;  ///< may be empty; called a few times a second
  long connect_timeout_s = 20;
  long stall_timeout_s = 30;  ///< ends a transfer below 1 byte a second for so long
};

struct FetchedFile {
  std::string path;
  bool already_there = false;
};

/// Downloads a set of the catalogue into `directory`/FOLDER and returns its files. Files that are there with the right
/// checksum are kept; partial downloads (NAME.part) go on where they stopped. A file appears under its name only when
/// its size and checksum are right. Throws InputError: unknown set, no mirror has the file (with each mirror's reason),
/// directory not writable.
std::vector<FetchedFile> fetch_dataset(const std::string& name, const std::string& directory,
                                       const FetchOptions& options);

/// The same for a set given by the caller.
std::vector<FetchedFile> fetch_set(const CatalogueSet& set, const std::string& directory, const FetchOptions& options);

}  // namespace souk
