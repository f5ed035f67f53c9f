#include "sim/base/log.hpp"

#include <memory>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace souk::log {
namespace {

std::shared_ptr<spdlog::logger>& console() {
  static auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("souk", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("souk: %v");
    return made;
  }();
  return logger;
}

std::shared_ptr<spdlog::logger>& file() {
  static std::shared_ptr<spdlog::logger> logger;
  return logger;
}

void (*before_message)() = nullptr;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::silent:
      break;
  }
  return spdlog::level::off;
}

}  // namespace

void start(Level level, int rank) {
  console()->set_level(rank == 0 || level == Level::silent ? to_spdlog(level) : spdlog::level::err);
  console()->flush_on(spdlog::level::debug);
}

void also_to_file(const std::filesystem::path& path) {
  file() = std::make_shared<spdlog::logger>("file", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string()));
  file()->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  file()->set_level(std::min(console()->level(), spdlog::level::info));
  file()->flush_on(spdlog::level::info);
}

void set_before_message(void (*hook)()) { before_message = hook; }

void message(Level level, const std::string& text) {
  if (before_message != nullptr && console()->should_log(to_spdlog(level))) before_message();
  console()->log(to_spdlog(level), text);
  if (file() != nullptr) file()->log(to_spdlog(level), text);
}

}  // namespace souk::log
