#pragma once

#include "sim/base/error.hpp"

/// For what a user can cause: throws InputError with the formatted sentence.
#define SOUK_REQUIRE(condition, ...)                          \
  do {                                                        \
    if (!(condition)) ::souk::throw_input_error(__VA_ARGS__); \
  } while (false)

/// For what only we can cause: prints the expression and its place, then aborts the process (and with it the job).
#define SOUK_EXPECT(condition)                                                 \
  do {                                                                         \
    if (!(condition)) ::souk::contract_broken(#condition, __FILE__, __LINE__); \
  } while (false)

namespace souk {

/// Prints "souk: fatal: …" and ends the process with exit_our_fault. Under MPI the handler ends the whole job.
[[noreturn]] void contract_broken(const char* expression, const char* file, int line);

/// What contract_broken calls to end the process; MpiSession installs MPI_Abort here.
using FatalHandler = void (*)(int exit_code);
void set_fatal_handler(FatalHandler handler);

/// Ends the process through the handler after printing `message` once.
[[noreturn]] void end_fatally(const std::string& message, int exit_code);

}  // namespace souk
