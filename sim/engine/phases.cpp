#include "sim/engine/phases.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstring>
#include <thread>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/log.hpp"
#include "sim/base/stopwatch.hpp"

namespace souk {
namespace {

template <class Number>
void parse_number(const std::string& text, const std::string& value, Number& out) {
  const auto result = std::from_chars(value.data(), value.data() + value.size(), out);
  SOUK_REQUIRE(result.ec == std::errc() && result.ptr == value.data() + value.size(),
               "--inject-fault {}: '{}' is not a number", text, value);
}

}  // namespace

InjectedFault parse_fault(const std::string& text) {
  InjectedFault fault;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equals = part.find('=');
    SOUK_REQUIRE(equals != std::string::npos, "--inject-fault {}: expected rank=R,round=N,phase=NAME", text);
    const std::string key = part.substr(0, equals);
    const std::string value = part.substr(equals + 1);
    if (key == "rank") {
      parse_number(text, value, fault.rank);
    } else if (key == "round") {
      parse_number(text, value, fault.round);
    } else if (key == "phase") {
      fault.phase = value;
    } else if (key == "kind" && value == "hang") {
      fault.kind = InjectedFault::Kind::hang;
    } else if (key == "kind" && value == "kill") {
      fault.kind = InjectedFault::Kind::kill;
    } else {
      throw_input_error("--inject-fault {}: unknown part '{}'", text, part);
    }
  }
  SOUK_REQUIRE(!fault.phase.empty(), "--inject-fault {}: names no phase", text);
  return fault;
}

Phases::Own& Phases::own(const char* name) {
  for (Own& entry : own_) {
    if (std::strcmp(entry.phase, name) == 0) return entry;
  }
  own_.push_back({.phase = name});
  return own_.back();
}

void Phases::inject(const char* name) const {
  if (!fault_ || fault_->rank != comm_.rank() || fault_->round != round_.value || fault_->phase != name) return;
  if (fault_->kind == InjectedFault::Kind::kill) std::raise(SIGKILL);
  while (fault_->kind == InjectedFault::Kind::hang) std::this_thread::sleep_for(std::chrono::seconds(1));
  throw std::runtime_error(fmt::format("injected fault on rank {} in round {}", comm_.rank(), round_.value));
}

void Phases::local(const char* name, const std::function<void()>& work) {
  const Stopwatch watch;
  double busy = 0.0;
  comm_.run_phase(name, [&] {
    inject(name);
    work();
    busy = watch.seconds();
  });
  Own& entry = own(name);
  entry.seconds += watch.seconds();
  entry.busy_seconds += busy;
  log::debug("round {} {}: {:.6f} s, {:.6f} s of work", round_.value, name, watch.seconds(), busy);
}

void Phases::collective(const char* name, const std::function<void()>& work) {
  comm_.run_phase(name, [&] { inject(name); });
  const Stopwatch watch;
  work();
  const double seconds = watch.seconds();
  Own& entry = own(name);
  entry.seconds += seconds;
  entry.busy_seconds += seconds;
  log::debug("round {} {}: {:.6f} s", round_.value, name, seconds);
}

std::vector<PhaseTime> Phases::times() const {
  std::vector<PhaseTime> times;
  for (const Own& entry : own_) {
    // Integers of a nanosecond: the communicator sums no floats, and times need no more.
    const auto seconds = comm_.all_max(std::llround(entry.seconds * 1e9));
    const auto busy = comm_.all_sum(std::llround(entry.busy_seconds * 1e9));
    times.push_back({entry.phase, static_cast<double>(seconds) * 1e-9, static_cast<double>(busy) * 1e-9});
  }
  return times;
}

}  // namespace souk
