#pragma once

#include <filesystem>

namespace souk::last_words {

/// From now on a process that ends by a broken contract, by its watchdog or by a signal that means a fault (SIGSEGV,
/// SIGBUS, SIGFPE, SIGILL, SIGABRT) appends the reason to this file, for those who look after it. Throws
/// std::runtime_error where the file cannot be opened.
void keep_in(const std::filesystem::path& file);
/// Ends that.
void keep_nowhere();
/// Appends to the file, if there is one. Safe in signal handlers.
void say(const char* text) noexcept;

}  // namespace souk::last_words
