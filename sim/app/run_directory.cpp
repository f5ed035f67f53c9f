#include "sim/app/run_directory.hpp"

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

bool is_a_run(const fs::path& directory) { return fs::exists(directory / "results.sqlite"); }

}  // namespace

RunDirectory::RunDirectory(const std::string& asked, const scenario::Scenario& scenario, const std::string& identity,
                           bool resume) {
  const std::string given = asked.empty() ? scenario.output().directory() : asked;
  if (!given.empty()) {
    path_ = given;
    SOUK_REQUIRE(resume || !is_a_run(path_),
                 "{}: holds a run already; add --resume to continue it, or choose another --out", path_.string());
    return;
  }
  const fs::path base = fs::path("runs") / fmt::format("{}-{}", scenario.name(), identity.substr(0, 8));
  const auto numbered = [&](int number) {
    return number == 1 ? base : fs::path(fmt::format("{}-{}", base.string(), number));
  };
  int number = 1;
  while (is_a_run(numbered(number))) ++number;
  path_ = numbered(resume && number > 1 ? number - 1 : number);
}

bool RunDirectory::holds_a_run() const { return is_a_run(path_); }

void RunDirectory::require_in_place() const {
  if (is_in_place()) return;
  throw std::runtime_error(fmt::format(
      "{}: was removed or renamed while the run went on, and nothing can be recorded there", path_.string()));
}

bool RunDirectory::try_open() {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw InputError(fmt::format("cannot create {}: {}", path_.string(), error.message()));
  const bool used = fs::exists(path_ / "lock") || fs::is_empty(path_, error) || holds_a_run();
  if (!used) log::warning("{}: holds other files, among which the run's will be", path_.string());
  return lock_.take(path_ / "lock");
}

}  // namespace souk
