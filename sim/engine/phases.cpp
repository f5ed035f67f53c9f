#include "sim/engine/phases.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/log.hpp"
#include "sim/base/stopwatch.hpp"

namespace souk {
namespace {

template <class Number>
void parse_phase_number(const std::string& text, const std::string& value, Number& out) {
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
      parse_phase_number(text, value, fault.rank);
    } else if (key == "round") {
      parse_phase_number(text, value, fault.round);
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

OwnPhaseTime& Phases::own(const char* name) {
  for (OwnPhaseTime& entry : own_) {
    if (std::strcmp(entry.phase, name) == 0) return entry;
  }
  own_.push_back({.phase = name});
  return own_.back();
}

void Phases::add(const char* name, double seconds, double busy_seconds) {
  OwnPhaseTime& entry = own(name);
  entry.elapsed += std::llround(seconds * 1e9);
  entry.busy += std::llround(busy_seconds * 1e9);
  log::debug("round {} {}: {:.6f} s, {:.6f} s of work", round_.value, name, seconds, busy_seconds);
}

void Phases::inject(const char* name) const {
  if (!fault_ || fault_->rank != comm_.rank() || fault_->round != round_.value || fault_->phase != name) return;
  if (fault_->kind == InjectedFault::Kind::kill) std::raise(SIGKILL);
  while (fault_->kind == InjectedFault::Kind::hang) std::this_thread::sleep_for(std::chrono::seconds(1));
  throw std::runtime_error(fmt::format("injected fault on rank {} in round {}", comm_.rank(), round_.value));
}

/// Work on which the ranks agree, and on what was prepared before it: nothing is done where that has failed.
void Phases::agree_on(const char* name, const std::function<void()>& work) {
  prepared_ = false;
  comm_.run_phase(failed_phase_ != nullptr ? failed_phase_ : name, [&] {
    if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
    inject(name);
    work();
  });
}

void Phases::prepare(const char* name, const std::function<void()>& work) {
  const Stopwatch watch;
  heartbeat::enter(name);
  prepared_ = true;
  try {
    if (failure_ == nullptr) {
      inject(name);
      work();
    }
  } catch (...) {
    failure_ = std::current_exception();
    failed_phase_ = name;
  }
  add(name, watch.seconds(), watch.seconds());
}

void Phases::local(const char* name, const std::function<void()>& work) {
  const Stopwatch watch;
  double busy = 0.0;
  agree_on(name, [&] {
    work();
    busy = watch.seconds();
  });
  add(name, watch.seconds(), busy);
}

void Phases::collective(const char* name, const std::function<void()>& work) {
  heartbeat::enter(name);
  if (prepared_ || fault_) agree_on(name, [] {});  // faults are given to all ranks alike
  const Stopwatch watch;
  work();
  add(name, watch.seconds(), watch.seconds());
}

}  // namespace souk
