#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "sim/app/commands.hpp"
#include "sim/base/error.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/describe.hpp"
#include "sim/data/fetch.hpp"

namespace souk {

int data_describe_command(const std::string& path, const std::string& label) {
  std::fputs(describe_path(path, label).text().c_str(), stdout);
  return exit_done;
}

int data_fetch_command(const std::string& name, const std::string& directory, const std::vector<std::string>& mirrors) {
  if (name == "list") {
    for (const CatalogueSet& set : dataset_catalogue()) fmt::print("{}\n", set.name);
    return exit_done;
  }
  FetchOptions options{.mirrors = mirrors, .progress = {}};
  const bool terminal = isatty(STDERR_FILENO) == 1;
  if (terminal) {
    options.progress = [](const FetchProgress& progress) {
      fmt::print(stderr, "\r\033[K{}  {} of {}", progress.file, bytes_text(static_cast<double>(progress.received)),
                 progress.total == 0 ? "?" : bytes_text(static_cast<double>(progress.total)));
    };
  }
  const std::vector<FetchedFile> files = fetch_dataset(name, directory, options);
  if (terminal) fmt::print(stderr, "\r\033[K");
  for (const FetchedFile& file : files) {
    fmt::print("{} {}\n", file.path, file.already_there ? "(was there, verified)" : "(downloaded, verified)");
  }
  return exit_done;
}

}  // namespace souk
