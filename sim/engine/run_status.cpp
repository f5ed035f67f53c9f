#include "sim/engine/run_status.hpp"

#include <array>

#include <fmt/format.h>

#include "sim/base/error.hpp"

namespace souk {
namespace {

constexpr std::array<std::string_view, 10> statuses{"crashed",     "damaged", "diverged", "done",    "failed",
                                                    "interrupted", "missing", "refused",  "running", "timed_out"};

}  // namespace

std::string to_string(RunStatus status) { return std::string(statuses[static_cast<std::size_t>(status)]); }

RunStatus run_status_named(std::string_view text) {
  for (std::size_t s = 0; s < statuses.size(); ++s) {
    if (statuses[s] == text) return static_cast<RunStatus>(s);
  }
  throw InputError(fmt::format("no run has the status \"{}\"", text));
}

}  // namespace souk
