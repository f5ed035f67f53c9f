#include "sim/base/contract.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "sim/base/last_words.hpp"
#include "sim/base/launcher_line.hpp"

namespace souk {
namespace {

std::atomic<FatalHandler> fatal_handler{nullptr};

}  // namespace

void set_fatal_handler(FatalHandler handler) { fatal_handler = handler; }

void end_fatally(const std::string& message, int exit_code) {
  std::fprintf(stderr, "souk: fatal: %s\n", message.c_str());
  std::fflush(nullptr);
  last_words::say(message.c_str());
  launcher_line::say(launcher_line::because, message);
  if (const FatalHandler handler = fatal_handler) handler(exit_code);
  std::_Exit(exit_code);
}

void contract_broken(const char* expression, const char* file, int line) {
  end_fatally(fmt::format("broken contract: {} at {}:{}", expression, file, line), exit_our_fault);
}

}  // namespace souk
