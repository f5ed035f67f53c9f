#include "sim/base/heartbeat.hpp"

#include <atomic>

namespace souk::heartbeat {
namespace {

std::atomic<std::uint64_t> beats{0};
std::atomic<std::uint32_t> current_round{0};
std::atomic<const char*> current_phase{"start"};
std::atomic<bool> is_waiting{false};

}  // namespace

void enter(const char* name) {
  current_phase.store(name, std::memory_order_relaxed);
  is_waiting.store(false, std::memory_order_relaxed);
  beat();
}

void wait_for_others() {
  is_waiting.store(true, std::memory_order_relaxed);
  beat();
}

void go_on() {
  is_waiting.store(false, std::memory_order_relaxed);
  beat();
}

void beat() { beats.fetch_add(1, std::memory_order_relaxed); }

void set_round(std::uint32_t round) { current_round.store(round, std::memory_order_relaxed); }

Status status() {
  return {.beats = beats.load(std::memory_order_relaxed),
          .round = current_round.load(std::memory_order_relaxed),
          .phase = current_phase.load(std::memory_order_relaxed),
          .waiting = is_waiting.load(std::memory_order_relaxed)};
}

}  // namespace souk::heartbeat
