#include "sim/app/scenario_loading.hpp"

#include <fmt/format.h>

#include "sim/base/atomic_file.hpp"

namespace souk {

ResolvedScenario load_scenario(const Comm& comm, const ScenarioArguments& arguments) {
  ScenarioSource source{.file_name = arguments.file, .text = {}, .overrides = arguments.overrides};
  comm.run_phase("read scenario", [&] {
    if (comm.rank() == 0) source.text = read_text_file(arguments.file);
  });
  source.text = comm.broadcast_text(source.text, 0);
  if (arguments.seed) source.overrides.push_back(fmt::format("seed={}", *arguments.seed));
  ResolvedScenario resolved;
  comm.run_phase("resolve scenario", [&] { resolved = resolve_scenario(source); });
  return resolved;
}

}  // namespace souk
