#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include <fmt/core.h>

namespace souk::log {

enum class Level : int { debug, info, warning, error, silent };

/// Sends messages of this level and above to standard error. Ranks other than 0 print errors only.
void start(Level level, int rank);
/// Also appends every message of level info and above (debug, if the level is debug) to this file.
void also_to_file(const std::filesystem::path& path);
/// Called before a message is shown: erases a progress line that it must not run into. Null: none.
void set_before_message(void (*hook)());
void message(Level level, const std::string& text);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  message(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  message(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  message(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  message(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace souk::log
