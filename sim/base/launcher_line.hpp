#pragma once

#include <string>

namespace souk::launcher_line {

/// What ranks tell the `souk … --ranks N` that started them: a line a message, through a pipe that it names in the
/// environment. Nothing is sent, and nothing lost, where ranks were started otherwise.

/// Name of the variable: a path through which the pipe can be opened for writing.
inline constexpr const char* variable = "SOUK_LAUNCHER";

/// Verbs of the messages.
inline constexpr const char* rank = "rank";            ///< RANK PROCESS: MPI has started
inline constexpr const char* directory = "directory";  ///< PATH: where the run writes
inline constexpr const char* takes = "takes";          ///< ID: a run of a sweep is begun, and what becomes of it noted
inline constexpr const char* because = "because";      ///< TEXT: why the job is about to end
inline constexpr const char* leaves = "leaves";        ///< RANK: its work is over

void say(const char* verb, const std::string& text) noexcept;

}  // namespace souk::launcher_line
