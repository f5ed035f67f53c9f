#include "sim/base/signs_of_life.hpp"

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <sys/mman.h>

namespace souk {

SignsOfLife::SignsOfLife() {
  void* memory = mmap(nullptr, sizeof *signs_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error(fmt::format("cannot map memory: {}", std::strerror(errno)));
  signs_ = new (memory) std::atomic<std::uint64_t>(0);
}

SignsOfLife::~SignsOfLife() { munmap(signs_, sizeof *signs_); }

void SignsOfLife::give() {
  std::thread([signs = signs_] {  // as long as the process
    while (true) {
      signs->fetch_add(1, std::memory_order_relaxed);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  })
      .detach();
}

bool SignsOfLife::are_missing_for(double seconds) {
  const std::uint64_t now = signs_->load(std::memory_order_relaxed);
  silent_looks_ = now > 0 && now == last_ ? silent_looks_ + 1 : 0;
  last_ = now;
  return seconds > 0.0 && static_cast<double>(silent_looks_) * std::chrono::duration<double>(look).count() > seconds;
}

}  // namespace souk
